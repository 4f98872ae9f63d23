//! Clients of AWS, unchanged: what they sign with whatever key they have is signed anew.

use tests::programs;
use tests::web::station::WebStation;
use tests::web::{Seen, TOKEN, WebServer};
use tests::world::World;

use super::bare;
use super::credentials::BOTOCORE;

/// What a job does with boto3, and what it sees of it.
const JOB: &str = r#"
import boto3, io, json, os, sys, urllib.request
from botocore.config import Config
import botocore.exceptions
base, (key, secret) = os.environ["BASE"], sys.argv[1:3]
session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name="eu-central-1")
style = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
s3 = session.client("s3", endpoint_url=base, config=style)
print([bucket["Name"] for bucket in s3.list_buckets()["Buckets"]])
s3.put_object(Bucket="store", Key="a/b c+d~e.txt", Body=b"hello", Metadata={"who": "job"}, ContentType="text/plain")
s3.upload_fileobj(io.BytesIO(b"x" * 3_000_000), "store", "big")
print([(one["Key"], one["Size"]) for one in s3.list_objects_v2(Bucket="store", Prefix="")["Contents"]])
got = s3.get_object(Bucket="store", Key="a/b c+d~e.txt")
print(got["Body"].read(), got["ETag"], s3.head_object(Bucket="store", Key="big")["ContentLength"])
print(s3.get_object(Bucket="store", Key="big", Range="bytes=0-9")["ResponseMetadata"]["HTTPStatusCode"])
link = s3.generate_presigned_url("get_object", Params={"Bucket": "store", "Key": "a/b c+d~e.txt"})
print(urllib.request.urlopen(link).read())
s3.delete_object(Bucket="store", Key="big")
try:
    s3.get_object(Bucket="store", Key="big")
except botocore.exceptions.ClientError as error:
    print(error)
unsigned = Config(s3={"addressing_style": "path", "payload_signing_enabled": True})
session.client("s3", endpoint_url=base, config=unsigned).put_object(Bucket="store", Key="signed", Body=b"signed")
s3.delete_object(Bucket="store", Key="signed")
items = session.client("dynamodb", endpoint_url=base)
print(json.dumps(items.get_item(TableName="t", Key={"id": {"S": "1"}})["Item"]))
"#;

fn run(station: &WebStation, key: &str, secret: &str) -> String {
    station.run("python3", &["-c", JOB, key, secret]).success()
}

/// How many of these requests are signed with the gateway's key for a service. Of an item's request
/// the body is signed, too.
fn verify(seen: &[Seen], service: &str) -> usize {
    for one in seen {
        let host = one.header("host").unwrap();
        let is_item = one.header("x-amz-target").is_some();
        let body = "{\"TableName\": \"t\", \"Key\": {\"id\": {\"S\": \"1\"}}}";
        let told = serde_json::json!({
            "method": one.method, "target": one.target, "base": format!("https://{host}"),
            "body": if is_item { body } else { "" }, "headers": one.headers,
            "service": service, "secret": TOKEN,
        });
        let said = programs::python(BOTOCORE, &[&told.to_string()]);
        assert!(said.output.starts_with("True"), "{service}: {said:?} {one:?}");
        assert!(!format!("{one:?}").contains("WORKLOAD"), "{one:?}");
    }
    seen.len()
}

#[test]
fn boto3_does_the_same_and_every_request_is_signed_by_the_gateway() {
    let server = WebServer::secure();
    let direct = run(&WebStation::direct(server), "AKIDEXAMPLE", TOKEN);
    for service in ["s3", "dynamodb"] {
        let world = World::with(server, |usual| {
            let credential = format!(
                "{{ aws: {{ access_key_id: AKIDEXAMPLE, secret_access_key: {}, \
                 region: eu-central-1, service: {service} }} }}",
                usual.secret()
            );
            bare(usual).host_credential(&credential)
        });
        let since = server.seen().len();
        let said = run(&world.web_station(), "WORKLOAD", "not a key");
        assert_eq!(said, direct, "{service}");
        let mut seen = server.seen().split_off(since);
        // A target is one service's: what a job asks of another there is signed for this one.
        seen.retain(|one| service == "s3" || one.header("x-amz-target").is_some());
        assert!(verify(&seen, service) >= if service == "s3" { 10 } else { 1 });
    }
}
