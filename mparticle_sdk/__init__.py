"""A small SDK for mParticle's Events API: for now, the documented service limits (`mparticle_sdk.limits`)."""
