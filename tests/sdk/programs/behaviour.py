"""How calls behave where the two SDKs differ, and where not: a line each. Used by test_dropin.py with servers of its own.

    python behaviour.py SERVER REFUSING

SERVER answers by path: /202, /429 (Retry-After: 60), /302 (to /202), /206. REFUSING is an address where nobody listens.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
import sys

import mparticle

SERVER, REFUSING = sys.argv[1:]


def api_of(host):
    configuration = mparticle.Configuration()
    configuration.host, configuration.api_key, configuration.api_secret = host, "key", "secret"
    return mparticle.EventsApi(configuration)


def batch_of(environment="development"):
    batch = mparticle.Batch(environment=environment)
    batch.events = [mparticle.AppEvent("ping")]
    return batch


def tell(name, call):
    try:
        outcome = call()
    except Exception as error:  # noqa: BLE001  # whatever it is, it is told
        root = isinstance(error, mparticle.rest.ApiException)
        outcome = f"{'ApiException' if root else type(error).__name__} {getattr(error, 'status', '')}".strip()
    sys.stdout.write(f"{name}: {outcome}\n")


def set_wrongly():
    batch = batch_of()
    batch.environment = "staging"
    return "taken for now"


tell("a batch", lambda: api_of(f"{SERVER}/202").upload_events(batch_of())[1])
tell("data of a bulk upload", lambda: type(api_of(f"{SERVER}/202").bulk_upload_events([batch_of()])[0]).__name__)
tell("an empty bulk upload", lambda: api_of(f"{SERVER}/202").bulk_upload_events([])[1])
tell("an empty batch", lambda: api_of(f"{SERVER}/202").upload_events(mparticle.Batch())[1])
tell("more than 100 batches", lambda: api_of(f"{SERVER}/202").bulk_upload_events([batch_of()] * 101)[1])
tell("a wrong value, when it is set", set_wrongly)
tell("a commerce event about nothing, when it is made", lambda: mparticle.CommerceEvent() and "taken for now")
tell("a wrong value in a constructor, when it is sent", lambda: api_of(f"{SERVER}/202").upload_events(batch_of("staging"))[1])
tell("a refused connection", lambda: api_of(REFUSING).upload_events(batch_of())[1])
tell("a redirect", lambda: api_of(f"{SERVER}/302").upload_events(batch_of())[1])
tell("status 206", lambda: api_of(f"{SERVER}/206").upload_events(batch_of())[1])
# Last: the official SDK sends nothing more afterwards.
tell("status 429", lambda: api_of(f"{SERVER}/429").upload_events(batch_of())[1])
tell("a call after status 429", lambda: api_of(f"{SERVER}/202").upload_events(batch_of())[1])
