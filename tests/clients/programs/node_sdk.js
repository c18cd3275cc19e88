'use strict';

// Sends with the official Node SDK, unmodified, and prints a JSON line a step: what was meant to be sent, what the SDK said.
//
//     node node_sdk.js URL KEY SECRET REFUSING_URL
//
// The twin of python_sdk.py: the same arguments, the same lines, the same values. Run `npm ci` in ../node before.

const mParticle = require('../node/node_modules/mparticle');
const VALUES = require('./values.json');

// -- models with every member filled ----------------------------------------------------------------------------------------

// Gives every member that the SDK knows a value: the one passed here, else the one of values.json. Throws if there is none.
function full(name, parts = {}, model = new mParticle[name]()) {
  const values = { ...VALUES[name], ...parts };
  for (const member in model) {
    if (typeof model[member] === 'function') continue;
    if (!(member in values)) throw new Error(`values.json has no ${name}.${member}`);
    model[member] = values[member];
  }
  for (const part in parts) {
    if (!(part in model)) throw new Error(`the SDK's ${name} has no ${part}`);
  }
  return model;
}

// The same for an event: with the members that all events share.
function event(name, number, parts = {}) {
  const shared = {
    ...VALUES.EventData,
    timestamp_unixtime_ms: 1700000000000 + number,
    event_id: 6004677780660780000 + 4096 * number, // doubles of this size are 1024 apart
    source_message_id: `e8335d31-2031-4bff-afec-${String(number).padStart(12, '0')}`,
    location: full('GeoLocation'),
    device_current_state: full('DeviceCurrentState'),
  };
  return full(name, { ...shared, ...parts });
}

function products(count) {
  return Array.from({ length: count }, (_, index) => full('Product', { id: `sku-${index + 1}`, position: index + 1 }));
}

// One event of each type, three of commerce: a product action, a promotion, impressions.
function everyEventType() {
  const nothing = {
    product_action: undefined,
    promotion_action: undefined,
    product_impressions: undefined,
    shopping_cart: undefined,
  };
  const promotions = [full('Promotion'), full('Promotion', { id: 'promo-2', position: 'bottom' })];
  const purchase = {
    product_action: full('ProductAction', { products: products(2) }),
    shopping_cart: full('ShoppingCart', { products: products(1) }),
  };
  const promotion = { promotion_action: full('PromotionAction', { promotions }) };
  const impressions = { product_impressions: [full('ProductImpression', { products: products(2) })] };
  return [
    event('SessionStartEvent', 1),
    event('FirstRunEvent', 2),
    event('ApplicationStateTransitionEvent', 3),
    event('ScreenViewEvent', 4),
    event('AppEvent', 5, { media_info: full('MediaInfo') }),
    event('CommerceEvent', 6, { ...nothing, ...purchase }),
    event('CommerceEvent', 7, { ...nothing, ...promotion }),
    event('CommerceEvent', 8, { ...nothing, ...impressions }),
    event('PushRegistrationEvent', 9),
    event('PushMessageEvent', 10),
    event('NetworkPerformanceEvent', 11),
    event('BreadcrumbEvent', 12),
    event('CrashReportEvent', 14, { breadcrumbs: [event('BreadcrumbEvent', 13)] }),
    event('ProfileEvent', 15),
    event('OptOutEvent', 17),
    event('SessionEndEvent', 18),
  ];
}

function fullBatch() {
  const consent = full('ConsentState', {
    gdpr: {
      analytics: full('GDPRConsentState'),
      marketing: full('GDPRConsentState', { consented: false, document: 'privacy.v3' }),
    },
    ccpa: { data_sale_opt_out: full('CCPAConsentState') },
  });
  const batch = full('Batch', {
    events: [],
    device_info: full('DeviceInformation'),
    application_info: full('ApplicationInformation'),
    user_identities: full('UserIdentities'),
    consent_state: consent,
    context: full('BatchContext', { data_plan: full('DataPlanContext') }),
  });
  everyEventType().forEach((one) => batch.addEvent(one));
  return batch;
}

// -- small batches ----------------------------------------------------------------------------------------------------------

// A batch with one custom event, unless told otherwise.
function small(sourceRequestId, events = [new mParticle.AppEvent('other', 'ping')]) {
  const batch = new mParticle.Batch(mParticle.Batch.Environment.production);
  batch.source_request_id = sourceRequestId;
  batch.user_identities = Object.assign(new mParticle.UserIdentities(), { customerid: 'c-1' });
  events.forEach((one) => batch.addEvent(one));
  return batch;
}

// Each enumerated value that the SDK lists for an event.
function everyChoice() {
  const choices = (values, make) => Object.values(values).map(make);
  return small('every-choice', [
    ...choices(mParticle.AppEvent.CustomEventType, (type) => new mParticle.AppEvent(type, 'a choice')),
    ...choices(mParticle.ApplicationStateTransitionEvent.ApplicationTransitionType, (type) =>
      Object.assign(new mParticle.ApplicationStateTransitionEvent(), { application_transition_type: type })),
    ...choices(mParticle.PushMessageEvent.PushMessageType, (type) =>
      Object.assign(new mParticle.PushMessageEvent(), { push_message_type: type })),
    ...choices(mParticle.PushMessageEvent.ApplicationState, (state) =>
      Object.assign(new mParticle.PushMessageEvent(), { push_message_type: 'received', application_state: state })),
    ...choices(mParticle.ProfileEvent.ProfileEventType, (type) =>
      Object.assign(new mParticle.ProfileEvent(), { profile_event_type: type })),
    ...choices(mParticle.ProductAction.Action, (action) =>
      Object.assign(new mParticle.CommerceEvent(), { product_action: new mParticle.ProductAction(action) })),
    ...choices(mParticle.PromotionAction.Action, (action) =>
      Object.assign(new mParticle.CommerceEvent(), { promotion_action: new mParticle.PromotionAction(action) })),
  ]);
}

function profileUpdate() {
  const batch = new mParticle.Batch('production');
  batch.source_request_id = 'profile';
  batch.user_attributes = { plan: 'gold' };
  batch.device_info = Object.assign(new mParticle.DeviceInformation(), { platform: 'Android' });
  batch.consent_state = new mParticle.ConsentState();
  return batch;
}

// A trap of this SDK: events that are set and not added are sent as they are.
function withoutEventType(sourceRequestId) {
  const batch = small(sourceRequestId, []);
  batch.events = [{ data: new mParticle.AppEvent('other', 'ping') }];
  return batch;
}

const many = (count) => Array.from({ length: count }, (_, number) => small(`bulk-of-${count}-${number}`, []));

// -- sending ----------------------------------------------------------------------------------------------------------------

async function main(url, key, secret, refusingUrl) {
  const configurations = {
    right: new mParticle.Configuration(key, secret),
    'wrong secret': new mParticle.Configuration(key, `not-${secret}`),
    'unknown key': new mParticle.Configuration(`not-${key}`, secret),
    none: new mParticle.Configuration(),
  };

  // Uploads one batch, or an array in bulk.
  async function send(step, body, { credentials = 'right', prefix = '', to = url } = {}) {
    const bulk = Array.isArray(body);
    const api = new mParticle.EventsApi(configurations[credentials]);
    api.apiClient.basePath = `${to}${prefix}/v2`;
    const sent = JSON.stringify(body);
    const [status, error] = await new Promise((resolve) => {
      const done = (problem, data, response) =>
        resolve(problem ? [problem.status ?? null, response ? response.text : problem.code] : [response.status, null]);
      if (bulk) api.bulkUploadEvents(body, done);
      else api.uploadEvents(body, done);
    });
    const path = `${prefix}/v2/${bulk ? 'bulkevents' : 'events'}`;
    console.log(JSON.stringify({ step, path, credentials, sent: JSON.parse(sent), status, error }));
  }

  await send('every event type', fullBatch());
  await send('every choice', everyChoice());
  await send('small', small('small'));
  await send('partner feed', small('partner-feed'), { prefix: '/s2s' });
  await send('profile update', profileUpdate());
  await send('bulk of 2', [small('bulk-of-2-0'), small('bulk-of-2-1', everyEventType())]);
  await send('bulk of 100', many(100));
  await send('bulk, one without event type', [withoutEventType('bulk-bad-0'), small('bulk-good-1')]);
  await send('sent again', small('small'));
  await send('sent again in bulk', [small('small'), small('twice'), small('twice')]);
  await send('wrong secret', small('wrong-secret'), { credentials: 'wrong secret' });
  await send('wrong secret, bulk', [small('wrong-secret-bulk')], { credentials: 'wrong secret' });
  await send('unknown key', small('unknown-key'), { credentials: 'unknown key' });
  await send('no credentials', small('no-credentials'), { credentials: 'none' });
  await send('empty batch', new mParticle.Batch());
  await send('empty bulk', []);
  await send('without event type', withoutEventType('without-event-type'));
  await send('bulk of 101', many(101));
  await send('refused', small('refused'), { to: refusingUrl });
  await send('after the errors', small('after-the-errors'));
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
