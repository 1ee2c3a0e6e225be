//! What the public documents about Sophos Central leave open, each as a setting.
//!
//! The first value is the default: what the strongest source suggests, else what most clients met.
//!
//! | switch | values | what is open |
//! |---|---|---|
//! | `errorBody` | `camel-case words full empty` | spelling of `error`; which optional keys come along; some APIs fail without a body |
//! | `largePageSize` | `clamp 400` | `pageSize` above 100 |
//! | `pastTheEnd` | `empty 404 400` | a page after the last |
//! | `pageTotals` | `asked never` | whether a page tells totals when it is asked to: clients are told to do without |
//! | `missingIdentityHeader` | `401 400 403` | no or malformed `X-Partner-ID` and the like |
//! | `foreignIdentityHeader` | `403 401` | an identity header that names somebody else |
//! | `unknownClient` | `401 400` | token request of an unknown client id |
//! | `readOnlyWrite` | `403 401` | a read-only service principal writes |
//! | `unknownTenant` | `404 403` | reading a tenant id that nobody has |
//! | `afterUnlink` | `404 403 canceled` | reading a tenant after it was unlinked; `canceled`: it stays listed with that status |
//! | `usageWithoutFlex` | `403 400` | a monthly account made by a partner without MSP Flex |
//! | `orderedBilling` | `refused accepted` | `billingType: ordered` at create |
//! | `duplicateName` | `accepted 409` | creating a tenant whose name exists |
//! | `adminEmailInUse` | `409 400` | creating a tenant whose first admin's e-mail is taken |
//! | `createAdmin` | `accepted ignored 400` | the `admin` object at create |
//! | `createProducts` | `accepted ignored 400` | the `products` list at create |
//! | `unknownBodyFields` | `ignored 400` | fields that no document names |
//! | `contactEmail` | `required optional` | `contact.email` at create |
//! | `showAsDefault` | `name absent` | `showAs` of a tenant made without it |
//! | `newAccount` | `activated pending` | whether region and host are known at once; `pending`: null until activated by a click |
//! | `usRegion` | `us01 us03` | region of geography US |
//! | `listing` | `at-once after-60-seconds after-10-minutes after-2-calls` | when a created tenant shows in the list |
//! | `patchTenant` | `404 405 415 200` | `PATCH /partner/v1/tenants/{id}` |
//! | `organizationField` | `id-null absent null` | `organization` of a tenant without one |
//! | `liveFields` | `present absent` | `status`, `contact`, `externalIds`, `products` of a tenant |
//! | `contactPhone` | `absent present` | whether `contact.phone` is read back |
//! | `licenseReading` | `needs-assistance trials-refused open` | licences of trial and term accounts |
//! | `unexpected` | `nothing fields enum-values` | keys and enum values that no document names |
//! | `idSpelling` | `plain urn` | ids as `urn:uuid:…` |
//! | `globalHost` | `plain trailing-slash` | spelling of `apiHosts.global` |
//! | `rateLimit` | `off on` | 100 a minute, bursts to 300, 200 000 a day; off because the clock stands still |
//! | `retryAfter` | `absent seconds http-date` | `Retry-After` on the partner's 429 |

crate::switches! {
    /// The settings of one partner account.
    Switches;
    "Spelling of the error object: Sophos Postman collection against the community's error page."
    "errorBody" error_body: ErrorBody { CamelCase = "camel-case", Words = "words", Full = "full", Empty = "empty" }
    "`pageSize` above the maximum."
    "largePageSize" large_page_size: LargePageSize { Clamp = "clamp", BadRequest = "400" }
    "A page after the last one."
    "pastTheEnd" past_the_end: PastTheEnd { Empty = "empty", NotFound = "404", BadRequest = "400" }
    "Totals of a list that were asked for with `pageTotal`."
    "pageTotals" page_totals: PageTotals { Asked = "asked", Never = "never" }
    "An identity header is missing or malformed."
    "missingIdentityHeader" missing_identity_header: MissingIdentityHeader
        { Unauthorized = "401", BadRequest = "400", Forbidden = "403" }
    "An identity header names another account."
    "foreignIdentityHeader" foreign_identity_header: ForeignIdentityHeader
        { Forbidden = "403", Unauthorized = "401" }
    "A token is asked for with a client id that does not exist."
    "unknownClient" unknown_client: UnknownClient { Unauthorized = "401", BadRequest = "400" }
    "A read-only service principal writes."
    "readOnlyWrite" read_only_write: ReadOnlyWrite { Forbidden = "403", Unauthorized = "401" }
    "A tenant id that nobody has is read."
    "unknownTenant" unknown_tenant: UnknownTenant { NotFound = "404", Forbidden = "403" }
    "An unlinked tenant is read; `canceled` keeps it in the list."
    "afterUnlink" after_unlink: AfterUnlink { NotFound = "404", Forbidden = "403", Canceled = "canceled" }
    "A partner without MSP Flex creates a monthly account."
    "usageWithoutFlex" usage_without_flex: UsageWithoutFlex { Forbidden = "403", BadRequest = "400" }
    "`billingType: ordered` at create (newer clients know it)."
    "orderedBilling" ordered_billing: OrderedBilling { Refused = "refused", Accepted = "accepted" }
    "A tenant is created with a name that exists."
    "duplicateName" duplicate_name: DuplicateName { Accepted = "accepted", Conflict = "409" }
    "A tenant is created with an admin e-mail that exists."
    "adminEmailInUse" admin_email_in_use: AdminEmailInUse { Conflict = "409", BadRequest = "400" }
    "The `admin` object at create, known from clients of the newer specification."
    "createAdmin" create_admin: CreateAdmin { Accepted = "accepted", Ignored = "ignored", BadRequest = "400" }
    "The `products` list at create, known from clients of the newer specification."
    "createProducts" create_products: CreateProducts
        { Accepted = "accepted", Ignored = "ignored", BadRequest = "400" }
    "Body fields that no document names."
    "unknownBodyFields" unknown_body_fields: UnknownBodyFields { Ignored = "ignored", BadRequest = "400" }
    "`contact.email` at create: required before the newer specification."
    "contactEmail" contact_email: ContactEmail { Required = "required", Optional = "optional" }
    "`showAs` of a tenant that was created without it."
    "showAsDefault" show_as_default: ShowAsDefault { Name = "name", Absent = "absent" }
    "Whether a new account has its region and host at once."
    "newAccount" new_account: NewAccount { Activated = "activated", Pending = "pending" }
    "The region of geography US."
    "usRegion" us_region: UsRegion { Us01 = "us01", Us03 = "us03" }
    "When a created tenant shows in the list."
    "listing" listing: Listing { AtOnce = "at-once", After60Seconds = "after-60-seconds",
        After10Minutes = "after-10-minutes", After2Calls = "after-2-calls" }
    "`PATCH /partner/v1/tenants/{id}`: one client knows it, the collection does not."
    "patchTenant" patch_tenant: PatchTenant
        { NotFound = "404", NotAllowed = "405", Unsupported = "415", Works = "200" }
    "`organization` of a tenant without one."
    "organizationField" organization_field: OrganizationField { IdNull = "id-null", Absent = "absent", Null = "null" }
    "Tenant fields seen live but not in the collection."
    "liveFields" live_fields: LiveFields { Present = "present", Absent = "absent" }
    "Whether `contact.phone` is read back."
    "contactPhone" contact_phone: ContactPhone { Absent = "absent", Present = "present" }
    "Whether the licences of trial and term accounts can be read."
    "licenseReading" license_reading: LicenseReading
        { NeedsAssistance = "needs-assistance", TrialsRefused = "trials-refused", Open = "open" }
    "Keys or enum values that no document names."
    "unexpected" unexpected: Unexpected { Nothing = "nothing", Fields = "fields", EnumValues = "enum-values" }
    "How ids are written."
    "idSpelling" id_spelling: IdSpelling { Plain = "plain", Urn = "urn" }
    "How `apiHosts.global` is written."
    "globalHost" global_host: GlobalHost { Plain = "plain", TrailingSlash = "trailing-slash" }
    "Rate limits by the simulated clock."
    "rateLimit" rate_limit: RateLimit { Off = "off", On = "on" }
    "`Retry-After` on the partner's 429."
    "retryAfter" retry_after: RetryAfterHeader { Absent = "absent", Seconds = "seconds", HttpDate = "http-date" }
}

#[cfg(test)]
mod tests {
    use super::Switches;

    #[test]
    fn the_table_at_the_top_names_every_switch_with_its_values_in_order() {
        let source = include_str!("switches.rs");
        for switch in Switches::TABLE {
            let row = format!("//! | `{}` | `{}` |", switch.name, switch.values.join(" "));
            assert!(source.contains(&row), "no row {row:?}");
        }
    }

    #[test]
    fn every_deviation_is_named_once_and_differs_from_the_default() {
        let all = Switches::all_variants();
        let values: usize = Switches::TABLE.iter().map(|s| s.values.len() - 1).sum();
        assert_eq!(all.len(), values + 1);
        assert!(all[1..].iter().all(|(_, s)| *s != Switches::default()));
    }

    #[test]
    fn an_overlay_changes_what_it_names_and_refuses_what_it_does_not_know() {
        let changed = Switches::default().overlay(&serde_json::json!({"patchTenant": "200"})).unwrap();
        assert_eq!(changed.patch_tenant, super::PatchTenant::Works);
        assert_eq!(changed.listing, Switches::default().listing);
        assert!(Switches::default().overlay(&serde_json::json!({"patchTenants": "200"})).is_err());
        assert!(Switches::default().overlay(&serde_json::json!({"patchTenant": "201"})).is_err());
    }
}
