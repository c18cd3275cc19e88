"""DataPlanContext: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.DataPlanContext(
    plan_id="sample_plan",
    plan_version=2,
)
by_attribute = mparticle.DataPlanContext()
by_attribute.plan_id = "sample_plan"
by_attribute.plan_version = 2

contexts = [mparticle.BatchContext(data_plan=model) for model in (by_keyword, by_attribute)]
batches = [mparticle.Batch(environment="development", context=context) for context in contexts]

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events(batches)
