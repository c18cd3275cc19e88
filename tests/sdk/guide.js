// The examples of mParticle's Node guide, written for the official Node SDK: each sends its batch by the name of the example.
// node guide.js URL KEY SECRET EXAMPLE_TIMESTAMP
const mParticle = require('mparticle');

const [url, key, secret, time] = process.argv.slice(2);
const now = Number(time);
const example_duration = 60000;

const config = new mParticle.Configuration(key, secret);
const api = new mParticle.EventsApi(config);
api.apiClient.basePath = url + '/v2';

function newBatch() {
  return new mParticle.Batch(mParticle.Batch.Environment.development);
}

const examples = {
  batch() {
    return newBatch();
  },
  user_identities() {
    const batch = newBatch();
    const user_identities = new mParticle.UserIdentities();
    user_identities.customerid = '123456';
    batch.user_identities = user_identities;
    return batch;
  },
  device_information() {
    const batch = newBatch();
    const device_info = new mParticle.DeviceInformation();
    device_info.ios_advertising_id = '07d2ebaa-e956-407e-a1e6-f05f871bf4e2';
    device_info.android_advertising_id = 'a26f9736-c262-47ea-988b-0b0504cee874';
    batch.device_info = device_info;
    return batch;
  },
  user_attributes() {
    const batch = newBatch();
    batch.user_attributes = { 'Account type': 'trial', TrialEndDate: '2016-12-01' };
    return batch;
  },
  app_event() {
    const batch = newBatch();
    const event = new mParticle.AppEvent(mParticle.AppEvent.CustomEventType.navigation, 'Hello World');
    event.custom_attributes = { foo: 'bar' };
    batch.addEvent(event);
    return batch;
  },
  commerce_event() {
    const batch = newBatch();
    const product = new mParticle.Product();
    product.name = 'Example Product';
    product.id = 'sample-sku';
    product.price = 19.99;
    product.customAttributes = { 'on-sale': 'true', referbished: 'false' };
    const product_action = new mParticle.ProductAction('purchase');
    product_action.products = [product];
    product_action.tax_amount = 1.5;
    product_action.total_amount = 21.49;
    const commerce_event = new mParticle.CommerceEvent();
    commerce_event.product_action = product_action;
    commerce_event.timestamp_unixtime_ms = 1484322995852;
    batch.addEvent(commerce_event);
    return batch;
  },
  session_events() {
    const batch = newBatch();
    const session_start = new mParticle.SessionStartEvent();
    session_start.session_id = 12345678;
    session_start.timestamp_unixtime_ms = now;
    const session_end = new mParticle.SessionEndEvent();
    session_end.session_id = session_start.session_id;
    session_end.session_duration_ms = example_duration;
    session_end.timestamp_unixtime_ms = now + example_duration;
    batch.events = [session_start, session_end];
    return batch;
  },
  ccpa() {
    const batch = newBatch();
    const ccpa_consent_state = new mParticle.CCPAConsentState();
    ccpa_consent_state.document = 'document_agreement.v3';
    ccpa_consent_state.consented = true;
    ccpa_consent_state.timestamp_unixtime_ms = now;
    ccpa_consent_state.location = 'mparticle.test/signup';
    ccpa_consent_state.hardware_id = 'IDFA:a5d96n32-224a-3b11-1088-a202695bc710';
    const consent_state = new mParticle.ConsentState();
    consent_state.ccpa = { data_sale_opt_out: ccpa_consent_state };
    batch.consent_state = consent_state;
    return batch;
  },
  gdpr() {
    const batch = newBatch();
    const gdpr_consent_state = new mParticle.GDPRConsentState();
    gdpr_consent_state.document = 'document_agreement.v2';
    gdpr_consent_state.consented = true;
    gdpr_consent_state.timestamp_unixtime_ms = now;
    gdpr_consent_state.location = 'dtmgbank.com/signup';
    gdpr_consent_state.hardware_id = 'IDFA:a5d934n0-232f-4afc-2e9a-3832d95zc702';
    const consent_state = new mParticle.ConsentState();
    consent_state.gdpr = { 'My Purpose': gdpr_consent_state };
    batch.consent_state = consent_state;
    return batch;
  },
  uploading() {
    const batch = newBatch();
    batch.user_identities = new mParticle.UserIdentities();
    batch.user_identities.customerid = '123456';
    batch.user_attributes = { 'hair color': 'brown' };
    batch.addEvent(new mParticle.AppEvent(mParticle.AppEvent.CustomEventType.navigation, 'Hello World'));
    return [batch];
  },
};

(async () => {
  for (const [name, build] of Object.entries(examples)) {
    const body = build();
    await new Promise((resolve, reject) => {
      const callback = (error) => (error ? reject(new Error(name + ': ' + error)) : resolve());
      if (Array.isArray(body)) {
        api.bulkUploadEvents(body, callback);
      } else {
        api.uploadEvents(body, callback);
      }
    });
  }
  console.log(JSON.stringify(Object.keys(examples)));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
