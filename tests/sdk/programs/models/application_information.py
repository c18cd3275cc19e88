"""ApplicationInformation: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.ApplicationInformation(
    application_name="Shop",
    application_version="1.2.3",
    install_referrer="utm_source=newsletter",
    package="com.example.shop",
)
by_attribute = mparticle.ApplicationInformation()
by_attribute.application_name = "Shop"
by_attribute.application_version = "1.2.3"
by_attribute.install_referrer = "utm_source=newsletter"
by_attribute.package = "com.example.shop"

batches = [mparticle.Batch(environment="development", application_info=model) for model in (by_keyword, by_attribute)]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events(batches)
