"""Batch: every member, given to the constructor and set afterwards."""

import sys

import mparticle

by_keyword = mparticle.Batch(
    source_request_id="every-event-type",
    environment="development",
    ip="172.217.12.142",
    schema_version=2,
    device_info=mparticle.DeviceInformation(platform="iOS"),
    application_info=mparticle.ApplicationInformation(application_name="Shop"),
    user_attributes={
        "plan": "gold",
        "$FirstName": "Zoë",
        "score": 12.5,
        "visits": 7,
        "vip": True,
        "interests": ["shoes", "日本", "🎉"],
        "nothing": None,
    },
    deleted_user_attributes=["old attribute", "older attribute"],
    user_identities=mparticle.UserIdentities(email="zoe@example.com"),
    integration_attributes={"123": {"visitor": "v-1"}},
    api_key="sample-key",
    mpid=600_868_121_729_048_600,
    mp_deviceid="d092ad19-8e23-4b4c-bbaf-9233fffdce31",
    context=mparticle.BatchContext(data_plan=mparticle.DataPlanContext(plan_id="shop")),
)
by_attribute = mparticle.Batch()
by_attribute.source_request_id = "every-event-type"
by_attribute.environment = "development"
by_attribute.ip = "172.217.12.142"
by_attribute.schema_version = 2
by_attribute.device_info = mparticle.DeviceInformation(platform="iOS")
by_attribute.application_info = mparticle.ApplicationInformation(application_name="Shop")
by_attribute.user_attributes = {
    "plan": "gold",
    "$FirstName": "Zoë",
    "score": 12.5,
    "visits": 7,
    "vip": True,
    "interests": ["shoes", "日本", "🎉"],
    "nothing": None,
}
by_attribute.deleted_user_attributes = ["old attribute", "older attribute"]
by_attribute.user_identities = mparticle.UserIdentities(email="zoe@example.com")
by_attribute.integration_attributes = {"123": {"visitor": "v-1"}}
by_attribute.api_key = "sample-key"
by_attribute.mpid = 600_868_121_729_048_600
by_attribute.mp_deviceid = "d092ad19-8e23-4b4c-bbaf-9233fffdce31"
by_attribute.context = mparticle.BatchContext(data_plan=mparticle.DataPlanContext(plan_id="shop"))

configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
mparticle.EventsApi(configuration).bulk_upload_events([by_keyword, by_attribute])
