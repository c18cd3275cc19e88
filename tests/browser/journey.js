// What a visitor of a shop does, with the web SDK's public calls alone. Everything that a call tells is returned.
async function journey(key) {
    const told = (call) =>
        new Promise((resolve, reject) => {
            setTimeout(() => reject(new Error(`${call} told nothing`)), 10000);
            call(resolve);
        });
    const found = {};
    await told((done) => mParticle.ready(done));
    found.anonymous = mParticle.Identity.getCurrentUser().getMPID();

    mParticle.logPageView('Home', { tab: 'news' }, { flag: 'shown' });
    mParticle.logEvent('Play song', mParticle.EventType.Navigation, { genre: 'jazz', seconds: 12, live: true, none: null }, { f: 'x' });
    mParticle.logEvent('Without a type');
    mParticle.logError('a caught error');

    const login = await told((done) =>
        mParticle.Identity.login({ userIdentities: { customerid: 'c-1042', email: 'ada@example.com', other2: 'o2' } }, done)
    );
    found.login = { status: login.httpCode, mpid: login.body.mpid };
    const user = mParticle.Identity.getCurrentUser();
    found.known = user.getMPID();
    user.setUserAttribute('plan', 'pro');
    user.setUserAttribute('age', 36);
    user.setUserAttributeList('genres', ['jazz', 'dub']);
    user.setUserTag('early');
    user.setUserAttribute('plan', 'max');
    user.removeUserAttribute('age');

    const consent = mParticle.Consent.createConsentState();
    consent.addGDPRConsentState('analytics', mParticle.Consent.createGDPRConsent(true, Date.now(), 'terms v2', 'Berlin', 'hw'));
    consent.setCCPAConsentState(mParticle.Consent.createCCPAConsent(false, Date.now(), 'notice', 'Berlin', 'hw'));
    user.setConsentState(consent);

    const shirt = mParticle.eCommerce.createProduct('Shirt', 'sku-1', 9.5, 2, 'blue', 'clothes', 'Acme', 3, 'SALE', { size: 'M' });
    mParticle.eCommerce.logProductAction(mParticle.ProductActionType.AddToCart, shirt);
    mParticle.eCommerce.logProductAction(
        mParticle.ProductActionType.Purchase,
        [shirt],
        { gift: 'no' },
        { source: 'test' },
        { Id: 't-17', Affiliation: 'shop', CouponCode: 'TEN', Revenue: 21.49, Shipping: 1.5, Tax: 0.99 }
    );
    const banner = mParticle.eCommerce.createPromotion('p-1', 'banner', 'Winter', 4);
    mParticle.eCommerce.logPromotion(mParticle.PromotionType.PromotionView, banner);
    mParticle.eCommerce.logPromotion(mParticle.PromotionType.PromotionClick, banner);
    mParticle.eCommerce.logImpression(mParticle.eCommerce.createImpression('Suggestions', shirt));

    const modify = await told((done) => mParticle.Identity.modify({ userIdentities: { email: 'ada@lovelace.example' } }, done));
    found.modify = modify.httpCode;
    const search = await told((done) => mParticle.Identity.search(key, { customerid: 'c-1042' }, done));
    found.search = { status: search.httpCode, mpid: search.body.mpid };

    const logout = await told((done) => mParticle.Identity.logout({}, done));
    found.logout = { status: logout.httpCode, mpid: logout.body.mpid };
    mParticle.logEvent('After logout', mParticle.EventType.Other);

    const again = await told((done) => mParticle.Identity.login({ userIdentities: { customerid: 'c-1042' } }, done));
    found.again = { status: again.httpCode, mpid: again.body.mpid };
    const [known, unknown] = [found.known, found.logout.mpid].map((mpid) => mParticle.Identity.getUser(mpid));
    found.alias = await told((done) =>
        mParticle.Identity.aliasUsers(mParticle.Identity.createAliasRequest(unknown, known), done)
    );
    mParticle.upload();
    return found;
}
