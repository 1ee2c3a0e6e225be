//! A certificate for simulated consoles that lives as long as they do.
//!
//! An authority of this run alone vouches for it, whose key is forgotten at once: whoever trusts the authority trusts
//! nobody else. The consoles' key is never written anywhere.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use tenantry_simulator::Identity;

use crate::exit::CliError;

/// Who the consoles are, and who vouches for them.
pub struct Made {
    /// The certificate with its key.
    pub identity: Identity,
    /// The authority's certificate, PEM: what a client is given to trust.
    pub authority: String,
}

/// Makes one for these names and addresses.
pub fn make(names: &[String]) -> Result<Made, CliError> {
    made(names).map_err(|error| {
        CliError::from_error("no-certificate", &error)
            .hint("name a certificate of your own: tenantry simulate --tls-cert FILE --tls-key FILE")
    })
}

fn made(names: &[String]) -> Result<Made, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name.push(DnType::CommonName, "tenantry simulate");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name.push(DnType::CommonName, "simulated consoles");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(&key, &authority)?;
    let identity = Identity { certificate: certificate.pem(), key: key.serialize_pem() };
    Ok(Made { identity, authority: authority.pem() })
}
