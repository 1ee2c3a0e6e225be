//! Microsoft's hosts per national cloud, and what may be asked of them.
//!
//! Source: Partner Center REST, "Partner Center REST URLs", "Secure application model". The Graph hosts of the national
//! clouds are those of Microsoft's documentation of national cloud deployments.

use reqwest::Method;
use tenantry_crd::console::MicrosoftCloud;
use url::Url;

use crate::transport::{AllowList, Base};

/// Where one console's requests go.
#[derive(Clone)]
pub(super) struct Hosts {
    pub authority: Base,
    pub api: Base,
    pub graph: Base,
    /// The audience of Partner Center tokens.
    pub api_resource: &'static str,
    /// The audience of Graph tokens.
    pub graph_resource: &'static str,
}

impl Hosts {
    /// The hosts of a cloud, or one endpoint in place of them all.
    pub fn new(cloud: MicrosoftCloud, endpoint: Option<&Url>) -> Option<Self> {
        let (authority, api_resource, graph_resource) = match cloud {
            MicrosoftCloud::Global => (
                "https://login.microsoftonline.com",
                "https://api.partnercenter.microsoft.com",
                "https://graph.microsoft.com",
            ),
            MicrosoftCloud::UsGov => (
                "https://login.microsoftonline.us",
                "https://api.partnercenter.microsoft.com",
                "https://graph.microsoft.us",
            ),
            MicrosoftCloud::China => (
                "https://login.chinacloudapi.cn",
                "https://partner.partnercenterapi.microsoftonline.cn",
                "https://microsoftgraph.chinacloudapi.cn",
            ),
        };
        let base = |own: &str| match endpoint {
            Some(url) => Base::new(url.clone()),
            None => Some(Base::known(own)),
        };
        Some(Self {
            authority: base(authority)?,
            api: base(api_resource)?,
            graph: base(graph_resource)?,
            api_resource,
            graph_resource,
        })
    }

    /// The token endpoint, and nothing else.
    pub fn tokens(&self) -> AllowList {
        AllowList::new().and(Method::POST, &self.authority, "{tenant}/oauth2/token")
    }

    /// Everything that reads. The address validation is a POST that changes nothing.
    pub fn reads(&self) -> AllowList {
        let mut list = AllowList::new().and(Method::HEAD, &self.api, "v1/domains/{domain}").and(
            Method::POST,
            &self.api,
            "v1/validations/address",
        );
        for path in [
            "v1/customers",
            "v1/customers/relationshiprequests",
            "v1/customers/{id}",
            "v1/customers/{id}/profiles/billing",
            "v1/customers/{id}/subscriptions",
        ] {
            list = list.and(Method::GET, &self.api, path);
        }
        for path in ["v1.0/organization", "v1.0/tenantRelationships/delegatedAdminRelationships"] {
            list = list.and(Method::GET, &self.graph, path);
        }
        list
    }

    /// Everything that writes.
    pub fn writes(&self) -> AllowList {
        AllowList::new()
            .and(Method::POST, &self.api, "v1/customers")
            .and(Method::PATCH, &self.api, "v1/customers/{id}")
            .and(Method::PUT, &self.api, "v1/customers/{id}/profiles/billing")
    }

    /// The URL of a link of Partner Center: relative to `/v1`, with or without that prefix or a leading slash; or
    /// absolute, and then it must be one of ours.
    pub fn linked(&self, uri: &str) -> Option<Url> {
        if uri.contains("://") {
            return Url::parse(uri).ok();
        }
        let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
        let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        if segments.first() != Some(&"v1") {
            segments.insert(0, "v1");
        }
        let mut url = self.api.at(&segments);
        url.set_query(query);
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_with_and_without_their_prefix() {
        let hosts = Hosts::new(MicrosoftCloud::Global, None).unwrap();
        for uri in [
            "/customers?size=2&seekOperation=Next",
            "/v1/customers?size=2&seekOperation=Next",
            "customers?size=2&seekOperation=Next",
        ] {
            let url = hosts.linked(uri).unwrap();
            assert_eq!(
                url.as_str(),
                "https://api.partnercenter.microsoft.com/v1/customers?size=2&seekOperation=Next"
            );
            assert!(hosts.reads().allows(&Method::GET, &url));
        }
        let elsewhere = hosts.linked("https://evil.example/v1/customers").unwrap();
        assert!(!hosts.reads().allows(&Method::GET, &elsewhere));
        let up = hosts.linked("/customers/../../secrets").unwrap();
        assert!(up.path().starts_with("/v1/"), "a link never climbs out of the API: {up}");
    }

    #[test]
    fn no_write_is_on_the_list_of_reads() {
        let hosts = Hosts::new(MicrosoftCloud::China, None).unwrap();
        for (method, path) in [
            (Method::POST, vec!["v1", "customers"]),
            (Method::PATCH, vec!["v1", "customers", "x"]),
            (Method::PUT, vec!["v1", "customers", "x", "profiles", "billing"]),
            (Method::DELETE, vec!["v1", "customers", "x"]),
        ] {
            assert!(!hosts.reads().allows(&method, &hosts.api.at(&path)), "{method} {path:?}");
        }
    }
}
