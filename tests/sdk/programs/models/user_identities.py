"""UserIdentities: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.UserIdentities(
    other="o1",
    customerid="c-1",
    facebook="fb",
    twitter="tw",
    google="g",
    microsoft="ms",
    yahoo="y",
    email="zoe@example.com",
    alias="al",
    facebook_custom_audience_id="fca",
    other_id_2="o2",
    other_id_3="o3",
    other_id_4="o4",
    other_id_5="o5",
    other_id_6="o6",
    other_id_7="o7",
    other_id_8="o8",
    other_id_9="o9",
    other_id_10="o10",
    mobile_number="+15551230001",
    phone_number_2="+15551230002",
    phone_number_3="+15551230003",
)
by_attribute = mparticle.UserIdentities()
by_attribute.other = "o1"
by_attribute.customerid = "c-1"
by_attribute.facebook = "fb"
by_attribute.twitter = "tw"
by_attribute.google = "g"
by_attribute.microsoft = "ms"
by_attribute.yahoo = "y"
by_attribute.email = "zoe@example.com"
by_attribute.alias = "al"
by_attribute.facebook_custom_audience_id = "fca"
by_attribute.other_id_2 = "o2"
by_attribute.other_id_3 = "o3"
by_attribute.other_id_4 = "o4"
by_attribute.other_id_5 = "o5"
by_attribute.other_id_6 = "o6"
by_attribute.other_id_7 = "o7"
by_attribute.other_id_8 = "o8"
by_attribute.other_id_9 = "o9"
by_attribute.other_id_10 = "o10"
by_attribute.mobile_number = "+15551230001"
by_attribute.phone_number_2 = "+15551230002"
by_attribute.phone_number_3 = "+15551230003"

batches = [mparticle.Batch(environment="development", user_identities=model) for model in (by_keyword, by_attribute)]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events(batches)
