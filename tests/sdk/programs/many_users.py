"""Batches of several users in bulk: in each of the ways to call, and with each of the results."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-globals
import sys

import mparticle


def batch_of(user):
    batch = mparticle.Batch(environment="production", source_request_id=f"request-{user}")
    batch.user_identities = mparticle.UserIdentities(email=f"{user}@example.com")
    batch.user_attributes = {"number": user}
    batch.events = [mparticle.AppEvent("Seen", "other"), mparticle.ScreenViewEvent(screen_name="Start")]
    return batch


configuration = mparticle.Configuration()
configuration.host, configuration.api_key, configuration.api_secret = sys.argv[1:]
configuration.api_client = mparticle.ApiClient(configuration.host, "X-Team", "growth", configuration=configuration)
configuration.api_client.set_default_header("X-Shop", "main")
api = mparticle.EventsApi(configuration)

_, status, headers = api.bulk_upload_events([batch_of(user) for user in range(3)])
sys.stdout.write(f"{status} {headers['Content-Length']}\n")

_, status, _ = api.bulk_upload_events_with_http_info(body=[batch_of(user) for user in range(100)])
sys.stdout.write(f"{status}\n")

results = []
thread = api.bulk_upload_events([batch_of(1000)], callback=results.append)
thread.join()
sys.stdout.write(f"{results[0][1]}\n")

sys.stdout.write(f"{api.upload_events_with_http_info(batch_of(2000), _return_http_data_only=True)}\n")
