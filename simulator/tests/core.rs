//! What holds for every simulated vendor: clock, log, faults, mail, seeds, the life of a simulator.

use std::net::TcpStream;

use jiff::ToSpan;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tenantry_simulator::{
    Config, Does, Fault, FaultBody, HoldAt, Kind, LogFilter, RetryAfter, Running, Simulator,
};

const TENANTS: &str = "/partner/v1/tenants";

struct Bench {
    running: Running,
    http: Client,
    token: String,
}

impl Bench {
    async fn new() -> Self {
        let running = Simulator::start(Config::default()).await.expect("a free port");
        let mut bench = Self { running, http: Client::new(), token: String::new() };
        bench.token = bench.login("acme").await;
        bench
    }

    async fn login(&self, key: &str) -> String {
        let partner = self.running.sophos(key);
        let credentials = partner.credentials();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &credentials.client_id),
            ("client_secret", &credentials.client_secret),
            ("scope", "token"),
        ];
        let url = format!("{}/api/v2/oauth2/token", partner.url());
        let token: Value = self.http.post(url).form(&form).send().await.unwrap().json().await.unwrap();
        token["access_token"].as_str().expect("a token").to_owned()
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let partner = self.running.sophos("acme");
        self.http
            .request(method.parse().expect("a method"), format!("{}{path}", partner.url()))
            .bearer_auth(&self.token)
            .header("X-Partner-ID", partner.partner_id().to_string())
    }

    fn create(&self, name: &str) -> RequestBuilder {
        self.request("POST", TENANTS).json(&json!({
            "name": name, "dataGeography": "DE", "billingType": "trial",
            "contact": {"firstName": "A", "lastName": "M", "email": "a@m.example", "phone": "1",
                "address": {"address1": "W", "city": "B", "countryCode": "DE", "postalCode": "1"}},
        }))
    }

    async fn status(&self, method: &str, path: &str) -> u16 {
        self.request(method, path).send().await.expect("an answer").status().as_u16()
    }

    fn sim(&self, method: &str, path: &str) -> RequestBuilder {
        let url = format!("{}/_sim/{path}", self.running.base_url());
        self.http.request(method.parse().expect("a method"), url)
    }

    async fn sim_json(&self, request: RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null))
    }

    fn fault(&self, does: Does) {
        self.running.faults().add(Fault::new(does).at("sophos/acme"));
    }

    fn created(&self) -> usize {
        self.running.log().effects("sophos/acme", "tenant-created").len()
    }

    fn last(&self) -> tenantry_simulator::Entry {
        self.running.log().entries(&LogFilter::default()).pop().expect("an entry")
    }
}

#[tokio::test]
async fn the_clock_moves_only_when_told_and_never_back() {
    let bench = Bench::new().await;
    let (_, body) = bench.sim_json(bench.sim("GET", "clock")).await;
    assert_eq!(body, json!({"now": "2026-01-12T08:00:00Z"}));
    let (_, body) = bench.sim_json(bench.sim("POST", "clock").json(&json!({"advance": "PT15M"}))).await;
    assert_eq!(body, json!({"now": "2026-01-12T08:15:00Z"}));
    let (_, body) = bench.sim_json(bench.sim("POST", "clock").json(&json!({"advance": "P1M"}))).await;
    assert_eq!(body, json!({"now": "2026-02-12T08:15:00Z"}));
    let back = bench.sim("POST", "clock").json(&json!({"set": "2026-01-01T00:00:00Z"}));
    let (status, body) = bench.sim_json(back).await;
    assert_eq!(status, 422);
    assert!(body["simulator"].as_str().unwrap().contains("does not go back"));
    assert_eq!(bench.sim_json(bench.sim("POST", "clock").json(&json!({"tick": 1}))).await.0, 422);
}

#[tokio::test]
async fn the_log_tells_reads_from_writes_and_keeps_what_was_committed() {
    let bench = Bench::new().await;
    let mark = bench.running.log().mark();
    bench.status("GET", "/partner/v1/tenants?pageSize=1").await;
    assert_eq!(bench.running.log().writes(mark), 0);
    bench.create("Muster AG").header("User-Agent", "test").send().await.unwrap();
    assert_eq!(bench.running.log().writes(mark), 1);
    let (_, body) = bench.sim_json(bench.sim("GET", &format!("log?partner=sophos/acme&since={mark}"))).await;
    let entries = body["entries"].as_array().unwrap();
    assert_eq!((entries.len(), &entries[0]["path"]), (2, &json!("/partner/v1/tenants?pageSize=1")));
    assert_eq!((&entries[1]["kind"], &entries[1]["status"]), (&json!("write"), &json!(201)));
    assert_eq!(entries[1]["effects"][0]["kind"], "tenant-created");
    let client = bench.running.sophos("acme").credentials().client_id;
    assert_eq!(
        (&entries[1]["client"], &entries[1]["headers"]["user-agent"]),
        (&json!(client), &json!("test"))
    );
    let (_, body) = bench.sim_json(bench.sim("GET", "log?kind=write&effect=tenant-created")).await;
    assert_eq!(body["entries"].as_array().unwrap().len(), 1);
    assert_eq!(bench.sim_json(bench.sim("GET", "log?kind=other")).await.0, 422);
}

#[tokio::test]
async fn no_token_and_no_secret_reaches_the_log() {
    let bench = Bench::new().await;
    let secret = bench.running.sophos("acme").credentials().client_secret;
    bench.status("GET", &format!("/whoami/v1?access_token={}", bench.token)).await;
    let entries = bench.running.log().entries(&LogFilter::default());
    let written = serde_json::to_string(&entries).unwrap();
    assert!(written.contains("access_token=***"));
    assert!(!written.contains(&bench.token) && !written.contains(&secret));
}

#[tokio::test]
async fn a_connection_closed_before_the_commit_commits_nothing() {
    let bench = Bench::new().await;
    bench.fault(Does::CloseBeforeCommit);
    assert!(bench.create("Muster AG").send().await.is_err());
    assert_eq!((bench.created(), bench.last().status), (0, None));
    assert_eq!(bench.last().fault.as_deref(), Some("close-before-commit"));
    assert_eq!(bench.create("Muster AG").send().await.unwrap().status(), 201);
}

#[tokio::test]
async fn a_connection_closed_after_the_commit_leaves_exactly_one_effect() {
    let bench = Bench::new().await;
    bench.fault(Does::CloseAfterCommit);
    assert!(bench.create("Muster AG").send().await.is_err());
    assert_eq!((bench.created(), bench.last().status, bench.last().bytes_out), (1, None, 0));
    assert_eq!(bench.running.sophos("acme").tenants_named("Muster AG").len(), 1);
}

#[tokio::test]
async fn a_failure_after_the_commit_has_committed() {
    let bench = Bench::new().await;
    bench.fault(Does::Status { status: 500, retry_after: None, body: FaultBody::Html, after_commit: true });
    let answer = bench.create("Muster AG").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), bench.created()), (500, 1));
    assert!(answer.text().await.unwrap().contains("<h1>500</h1>"));
}

#[tokio::test]
async fn a_truncated_body_breaks_off_and_a_malformed_one_does_not_parse() {
    let bench = Bench::new().await;
    bench.fault(Does::Truncate);
    let answer = bench.request("GET", TENANTS).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err());
    bench.fault(Does::MalformedJson);
    let body = bench.request("GET", TENANTS).send().await.unwrap().bytes().await.unwrap();
    assert!(serde_json::from_slice::<Value>(&body).is_err());
    assert_eq!(bench.status("GET", TENANTS).await, 200);
}

#[tokio::test]
async fn a_held_request_commits_before_or_after_it_is_released() {
    for (at, while_held) in [(HoldAt::BeforeCommit, 0), (HoldAt::AfterCommit, 1)] {
        let bench = Bench::new().await;
        bench.fault(Does::Hold { at });
        let sent = tokio::spawn(bench.create("Muster AG").send());
        bench.running.faults().until_held(1).await;
        assert_eq!(bench.running.sophos("acme").tenants().len(), while_held);
        let (_, body) = bench.sim_json(bench.sim("GET", "faults")).await;
        assert_eq!(body["held"], 1);
        assert_eq!(bench.sim("POST", "faults/release").send().await.unwrap().status(), 204);
        assert_eq!(sent.await.unwrap().unwrap().status(), 201);
        assert_eq!((bench.created(), bench.running.faults().held()), (1, 0));
    }
}

#[tokio::test]
async fn a_request_that_was_accepted_is_committed_although_nobody_waits_for_it_any_more() {
    for (at, committed) in [(HoldAt::BeforeCommit, 0), (HoldAt::Accepted, 1)] {
        let bench = Bench::new().await;
        bench.fault(Does::Hold { at });
        let sent = tokio::spawn(bench.create("Muster AG").send());
        bench.running.faults().until_held(1).await;
        // With its task goes its connection.
        sent.abort();
        assert!(sent.await.unwrap_err().is_cancelled());
        if at == HoldAt::BeforeCommit {
            while bench.running.faults().held() > 0 {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(bench.created(), 0);
        bench.running.faults().release();
        while bench.running.faults().held() > 0 || bench.created() < committed {
            tokio::task::yield_now().await;
        }
        assert_eq!((bench.created(), bench.status("GET", TENANTS).await), (committed, 200), "{at:?}");
    }
}

#[tokio::test]
async fn too_many_requests_comes_with_and_without_retry_after() {
    let bench = Bench::new().await;
    let expected = [
        (None, None),
        (Some(RetryAfter::Seconds(7)), Some("7")),
        (Some(RetryAfter::HttpDate(90)), Some("Mon, 12 Jan 2026 08:01:30 GMT")),
    ];
    for (retry_after, header) in expected {
        bench.fault(Does::Status { status: 429, retry_after, body: FaultBody::Vendor, after_commit: false });
        let answer = bench.create("Muster AG").send().await.unwrap();
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers().get("retry-after").map(|v| v.to_str().unwrap()), header);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"], "tooManyRequests");
    }
    assert_eq!(bench.created(), 0);
}

#[tokio::test]
async fn an_injected_failure_has_a_vendor_empty_json_or_html_body() {
    let bench = Bench::new().await;
    for (body, begins) in [
        (FaultBody::Vendor, r#"{"correlationId""#),
        (FaultBody::Empty, ""),
        (FaultBody::Json, r#"{"ok":false}"#),
        (FaultBody::Html, "<html>"),
    ] {
        bench.fault(Does::Status { status: 503, retry_after: None, body, after_commit: false });
        let text = bench.request("GET", TENANTS).send().await.unwrap().text().await.unwrap();
        assert!(text.starts_with(begins) && text.is_empty() == begins.is_empty(), "{text}");
    }
}

#[tokio::test]
async fn a_token_expires_once_and_a_new_one_is_good() {
    let mut bench = Bench::new().await;
    bench.fault(Does::ExpiredToken);
    assert_eq!(bench.status("GET", TENANTS).await, 401);
    assert_eq!(bench.status("GET", TENANTS).await, 200);
    bench.running.sophos("acme").expire_tokens();
    assert_eq!(bench.status("GET", TENANTS).await, 401);
    bench.token = bench.login("acme").await;
    assert_eq!(bench.status("GET", TENANTS).await, 200);
}

#[tokio::test]
async fn one_customer_is_forbidden_and_the_others_are_not() {
    let bench = Bench::new().await;
    bench.running.sophos("acme").generate(2, 7, 0);
    let ids: Vec<String> = bench.running.sophos("acme").tenants().iter().map(|t| t.id.to_string()).collect();
    bench.running.faults().add(Fault::new(Does::Forbidden).about(&ids[0]).always());
    assert_eq!(bench.status("GET", &format!("{TENANTS}/{}", ids[0])).await, 403);
    assert_eq!(bench.status("GET", &format!("{TENANTS}/{}", ids[1])).await, 200);
    let licences = bench.request("GET", "/licenses/v1/licenses").header("X-Tenant-ID", &ids[0]);
    assert_eq!(licences.send().await.unwrap().status(), 403);
    assert_eq!(bench.status("GET", TENANTS).await, 200);
}

#[tokio::test]
async fn a_fault_strikes_the_nth_match_as_often_as_told() {
    let bench = Bench::new().await;
    bench.running.faults().add(Fault::status(500).on("GET", "/partner/*/tenants").nth(2).times(2));
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(bench.status("GET", TENANTS).await);
        assert_eq!(bench.status("GET", "/whoami/v1").await, 200);
    }
    assert_eq!(seen, [200, 500, 500, 200]);
    assert!(bench.running.faults().active().is_empty());
}

#[tokio::test]
async fn faults_are_set_and_cleared_over_http() {
    let bench = Bench::new().await;
    let fault = json!({"partner": "sophos/acme", "method": "GET", "path": "/whoami/v1", "times": 5,
        "does": {"kind": "status", "status": 503, "retryAfter": {"seconds": 3}, "body": "empty"}});
    assert_eq!(bench.sim_json(bench.sim("POST", "faults").json(&fault)).await.0, 201);
    assert_eq!(bench.status("GET", "/whoami/v1").await, 503);
    assert_eq!(bench.sim("DELETE", "faults").send().await.unwrap().status(), 204);
    assert_eq!(bench.status("GET", "/whoami/v1").await, 200);
    let several = json!([{"does": {"kind": "forbidden"}}, {"does": {"kind": "stale-version"}}]);
    assert_eq!(bench.sim_json(bench.sim("POST", "faults").json(&several)).await.0, 201);
    assert_eq!(bench.status("GET", "/whoami/v1").await, 403);
    assert_eq!(bench.status("GET", "/whoami/v1").await, 409);
    let unknown = json!({"does": {"kind": "explode"}});
    let (status, body) = bench.sim_json(bench.sim("POST", "faults").json(&unknown)).await;
    assert_eq!(status, 422);
    assert!(body["simulator"].as_str().unwrap().contains("explode"), "{body}");
}

#[tokio::test]
async fn a_mail_is_delivered_once_and_stays_until_somebody_acts() {
    let bench = Bench::new().await;
    let eml = "From: ops@partner.example\r\nTo: it@muster.example\r\nSubject: Invitation\r\n\r\n\
               https://admin.example/invite?id=1\r\n";
    let (status, body) = bench.sim_json(bench.sim("POST", "mailbox").body(eml)).await;
    assert_eq!((status, &body["id"]), (201, &json!(1)));
    let (_, body) = bench.sim_json(bench.sim("GET", "mailbox?to=it@muster.example")).await;
    let mail = &body["mails"][0];
    assert_eq!(
        (&mail["choice"], &mail["links"][0]),
        (&json!("unread"), &json!("https://admin.example/invite?id=1"))
    );
    let (status, body) = bench.sim_json(bench.sim("POST", "mailbox/1/accept")).await;
    assert_eq!(status, 422, "nobody here knows this link");
    assert!(body["simulator"].as_str().unwrap().contains("https://admin.example/invite?id=1"));
    assert_eq!(bench.sim("POST", "mailbox/1/ignore").send().await.unwrap().status(), 204);
    assert_eq!(bench.sim_json(bench.sim("GET", "mailbox/1")).await.1["choice"], "ignored");
    assert_eq!(bench.sim("GET", "mailbox/2").send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_customers_and_another_gives_others() {
    let customers = async |seed: u64| {
        let running = Simulator::start(Config { seed, ..Config::default() }).await.unwrap();
        running
            .seed(&json!({"sophos": {"acme": {"generate": {"count": 50, "seed": seed, "hostile": 3}}}}))
            .unwrap();
        running.sophos("acme").tenants()
    };
    assert_eq!(customers(1).await, customers(1).await);
    assert_ne!(customers(1).await, customers(2).await);
    let names: std::collections::BTreeSet<String> = customers(1).await.into_iter().map(|t| t.name).collect();
    assert_eq!(names.len(), 53);
    assert!(names.iter().any(|n| n.contains('\u{1b}')), "hostile names are among them");
}

#[tokio::test]
async fn a_seed_over_http_makes_partners_and_a_wrong_one_says_where() {
    let bench = Bench::new().await;
    let seed = json!({"sophos": {"second": {"tenants": [{"name": "Muster AG"}]}}});
    let (status, index) = bench.sim_json(bench.sim("POST", "seed").json(&seed)).await;
    assert_eq!(status, 200);
    let keys: Vec<&str> =
        index["partners"].as_array().unwrap().iter().filter_map(|p| p["key"].as_str()).collect();
    assert_eq!(keys, ["acme", "second"]);
    assert!(index["partners"][1]["connect"]["clientSecret"].is_string());
    assert_eq!(bench.running.sophos("second").tenants().len(), 1);
    let wrong = json!({"sophos": {"second": {"tenant": []}}});
    let (status, body) = bench.sim_json(bench.sim("POST", "seed").json(&wrong)).await;
    assert_eq!(status, 422);
    assert!(
        body["simulator"].as_str().unwrap().starts_with("sophos/second: unknown field `tenant`"),
        "{body}"
    );
    assert_eq!(bench.sim_json(bench.sim("POST", "seed").json(&json!({"nobody": {"x": {}}}))).await.0, 422);
}

#[tokio::test]
async fn partners_are_apart() {
    let bench = Bench::new().await;
    let other = bench.running.sophos("other");
    let request = bench.http.get(format!("{}/whoami/v1", other.url())).bearer_auth(&bench.token);
    assert_eq!(request.send().await.unwrap().status(), 401);
    bench.create("Muster AG").send().await.unwrap();
    assert!(other.tenants().is_empty());
    assert!(bench.running.log().effects("sophos/other", "tenant-created").is_empty());
    let nobody = bench.http.get(format!("{}/sophos/nobody/whoami/v1", bench.running.base_url()));
    assert_eq!(nobody.send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn switches_are_read_changed_and_enumerated_over_http() {
    let bench = Bench::new().await;
    let (_, now) = bench.sim_json(bench.sim("GET", "sophos/acme/switches")).await;
    assert_eq!(now["patchTenant"], "404");
    let change = bench.sim("POST", "sophos/acme/switches").json(&json!({"patchTenant": "200"}));
    assert_eq!(bench.sim_json(change).await.1["patchTenant"], "200");
    let wrong = bench.sim("POST", "sophos/acme/switches").json(&json!({"patchTenant": "maybe"}));
    assert_eq!(bench.sim_json(wrong).await.0, 422);
    let (_, table) = bench.sim_json(bench.sim("GET", "sophos/acme/switches/table")).await;
    assert_eq!(table.as_array().unwrap().len(), now.as_object().unwrap().len());
}

#[tokio::test]
async fn answers_name_the_public_url() {
    let config = Config { public_url: Some("https://sim.example/".to_owned()), ..Config::default() };
    let running = Simulator::start(config).await.unwrap();
    assert_eq!(running.sophos("acme").url(), "https://sim.example/sophos/acme");
    assert_eq!(running.partner_url("sophos", "acme"), "https://sim.example/sophos/acme");
    assert!(running.base_url().starts_with("http://127.0.0.1:"));
}

#[tokio::test]
async fn a_head_request_has_no_body_and_leaves_the_connection_good() {
    let bench = Bench::new().await;
    let head = bench.request("HEAD", TENANTS).send().await.unwrap();
    assert_eq!(head.status(), 405);
    assert!(head.bytes().await.unwrap().is_empty());
    assert_eq!(bench.status("GET", TENANTS).await, 200);
}

#[tokio::test]
async fn a_stopped_simulator_is_gone_with_everything_in_it() {
    for at in [HoldAt::BeforeCommit, HoldAt::Accepted] {
        let bench = Bench::new().await;
        bench.fault(Does::Hold { at });
        let held = tokio::spawn(bench.create("Muster AG").send());
        bench.running.faults().until_held(1).await;
        let faults = bench.running.faults().clone();
        let address = bench.running.base_url().trim_start_matches("http://").to_owned();
        bench.running.stop().await;
        assert!(held.await.unwrap().is_err(), "a held request ends with its connection");
        while faults.held() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(TcpStream::connect(address).is_err());
    }
}

#[tokio::test]
async fn clicks_are_not_requests() {
    let bench = Bench::new().await;
    let mark = bench.running.log().mark();
    bench.running.click("sophos", "acme", "groups", &json!({"name": "Gold"})).unwrap();
    let refused = bench.running.click("sophos", "acme", "fly", &json!({})).unwrap_err();
    assert_eq!(refused.to_string(), "the simulated console refuses fly (no-click): nothing at POST /fly");
    assert_eq!(bench.running.log().writes(mark), 0);
    assert_eq!(bench.running.log().effects("sophos/acme", "group-created").len(), 1);
    assert_eq!(bench.running.log().count(&LogFilter { kind: Some(Kind::Ui), ..LogFilter::default() }), 2);
}

#[tokio::test]
async fn the_clock_of_the_log_is_the_simulated_one() {
    let bench = Bench::new().await;
    bench.running.clock().advance(2.hours()).unwrap();
    bench.status("GET", "/whoami/v1").await;
    assert_eq!(bench.last().at, bench.running.clock().now());
}
