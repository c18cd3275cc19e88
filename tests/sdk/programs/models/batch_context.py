"""BatchContext: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.BatchContext(
    data_plan=mparticle.DataPlanContext(plan_id="shop", plan_version=2),
)
by_attribute = mparticle.BatchContext()
by_attribute.data_plan = mparticle.DataPlanContext(plan_id="shop", plan_version=2)

batches = [mparticle.Batch(environment="development", context=model) for model in (by_keyword, by_attribute)]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events(batches)
