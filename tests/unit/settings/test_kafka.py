from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.reading import ONE, problem, problems, read

LOGIN = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "KAFKA_SASL_USERNAME": "u",
    "KAFKA_SASL_PASSWORD": "p",
}
OAUTH = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
    "KAFKA_SASL_OAUTH_TOKEN_URL": "https://login.example.com/token",
    "KAFKA_SASL_OAUTH_CLIENT_ID": "c",
    "KAFKA_SASL_OAUTH_CLIENT_SECRET": "s",
}


def test_whether_the_partitions_were_given_is_known() -> None:
    assert not read().kafka.partitions_given
    assert read(KAFKA_PARTITIONS="12").kafka.partitions_given


def test_whether_the_partitions_were_given_is_known_with_a_password_too() -> None:
    assert not read(**LOGIN).kafka.partitions_given


def test_true_is_not_a_number_of_partitions(tmp_path: Path) -> None:
    config = tmp_path / "x.toml"
    config.write_text("[kafka]\npartitions = true\n")
    assert problem(config=config) == "KAFKA_PARTITIONS: true is not a number"


@pytest.mark.parametrize("servers", ["a:9092", "a:9092, b:9093", "[::1]:9092", "10.0.0.1:9092", "broker"])
def test_brokers_are_a_list_with_commas(servers: str) -> None:
    assert read(KAFKA_BOOTSTRAP_SERVERS=servers).kafka.bootstrap_servers == servers.replace(" ", "")


def test_brokers_may_be_a_list_in_the_file(tmp_path: Path) -> None:
    config = tmp_path / "x.toml"
    config.write_text("[kafka]\nbootstrap_servers = ['a:1', 'b:2']\n")
    assert read(config=config).kafka.bootstrap_servers == "a:1,b:2"


@pytest.mark.parametrize("servers", ["a:9092,", "http://a:9092", "a:port", "a:0", "a:65536", "a b:1", ",", "a;b"])
def test_what_is_no_broker_is_refused(servers: str) -> None:
    assert problem(KAFKA_BOOTSTRAP_SERVERS=servers).startswith("KAFKA_BOOTSTRAP_SERVERS: ")


@pytest.mark.parametrize(
    "given", ['"u:supersecret@h:1"', '"a:9092,u:supersecret@h:1"', '["u:supersecret@h:1"]', '["supersecret", 1]']
)
def test_what_is_no_broker_is_not_repeated_for_it_may_hold_a_password(given: str, tmp_path: Path) -> None:
    config = tmp_path / "x.toml"
    config.write_text(f"[kafka]\nbootstrap_servers = {given}\n")
    said = problem(config=config)
    assert said.endswith("write host:port, several with commas between")
    assert "supersecret" not in said


def test_of_several_brokers_the_one_that_is_none_is_told_by_its_place() -> None:
    said = problem(KAFKA_BOOTSTRAP_SERVERS="a:9092,b:port,c:9092")
    assert said.startswith("KAFKA_BOOTSTRAP_SERVERS: not a broker (2 of 3); ")


@pytest.mark.parametrize("topic", ["wolkvox hits", "ñ", "..", "a/b", "x" * 238])
def test_a_topic_that_kafka_would_refuse_is_refused(topic: str) -> None:
    assert problem(KAFKA_TOPIC=topic).startswith("KAFKA_TOPIC: ")


@pytest.mark.parametrize("text", ["a\x00", "a\nb", "\x1b[2J", "a\x85", "\udcff"])
@pytest.mark.parametrize("name", ["KAFKA_GROUP_ID", "KAFKA_SASL_USERNAME", "REGISTRY_USERNAME", "STATUS_HOST"])
def test_what_no_name_can_hold_is_refused_and_not_repeated(name: str, text: str) -> None:
    (said,) = [line for line in problems(environ=ONE | LOGIN | {name: text}) if line.startswith(f"{name}: ")]
    assert said == f"{name}: it holds a control character, or one that is none"


def test_names_are_taken_in_any_casing() -> None:
    settings = read(**LOGIN | {"KAFKA_SECURITY_PROTOCOL": "sasl_ssl", "KAFKA_SASL_MECHANISM": "scram-sha-512"})
    assert (settings.kafka.security_protocol, settings.kafka.sasl_mechanism) == ("SASL_SSL", "SCRAM-SHA-512")
    assert read(LOG_LEVEL="INFO", KAFKA_COMPRESSION="ZSTD").log.level == "info"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_whole_login_is_accepted(mechanism: str) -> None:
    kafka = read(**LOGIN | {"KAFKA_SASL_MECHANISM": mechanism}).kafka
    assert kafka.sasl_password is not None
    assert (kafka.sasl_mechanism, kafka.sasl_username, kafka.sasl_password.read()) == (mechanism, "u", "p")


@pytest.mark.parametrize("name", ["KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"])
def test_a_login_needs_mechanism_user_and_password(name: str) -> None:
    line, *_ = problems(environ=ONE | {key: value for key, value in LOGIN.items() if key != name})
    assert line.startswith(f"{name}: required with ")


def test_a_password_file_is_read_again_at_each_use(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first\n")
    login = {key: value for key, value in LOGIN.items() if key != "KAFKA_SASL_PASSWORD"}
    password = read(**login, KAFKA_SASL_PASSWORD_FILE=str(file)).kafka.sasl_password
    assert password is not None
    before = password.read()
    file.write_text("second\n")
    assert (before, password.read()) == ("first", "second")


def test_a_password_file_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    login = {key: value for key, value in LOGIN.items() if key != "KAFKA_SASL_PASSWORD"}
    gone = tmp_path / "gone"
    assert problem(**login, KAFKA_SASL_PASSWORD_FILE=str(gone)) == (
        f"KAFKA_SASL_PASSWORD_FILE: {gone}: No such file or directory"
    )


def test_client_credentials_are_accepted() -> None:
    kafka = read(**OAUTH, KAFKA_SASL_OAUTH_SCOPE="kafka").kafka
    assert kafka.sasl_oauth_client_secret is not None
    assert kafka.sasl_oauth_client_secret.read() == "s"


def test_a_client_secret_can_come_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file")
    given = {key: value for key, value in OAUTH.items() if key != "KAFKA_SASL_OAUTH_CLIENT_SECRET"}
    kafka = read(**given, KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE=str(tmp_path / "secret")).kafka
    assert kafka.sasl_oauth_client_secret is not None
    assert kafka.sasl_oauth_client_secret.read() == "from-file"


@pytest.mark.parametrize("name", [name for name in OAUTH if "_OAUTH_" in name])
def test_oauthbearer_needs_its_client_credentials(name: str) -> None:
    given = {key: value for key, value in OAUTH.items() if key != name}
    assert problem(**given) == f"{name}: required with KAFKA_SASL_MECHANISM=OAUTHBEARER"


def test_the_token_servers_address_must_protect_the_client_secret() -> None:
    assert problem(**OAUTH | {"KAFKA_SASL_OAUTH_TOKEN_URL": "http://login.example.com/token"}) == (
        "KAFKA_SASL_OAUTH_TOKEN_URL: plain http would show the client secret on the way: use https"
    )
    assert problem(**OAUTH | {"KAFKA_SASL_OAUTH_TOKEN_URL": "login"}).startswith("KAFKA_SASL_OAUTH_TOKEN_URL: ")
    assert read(**OAUTH | {"KAFKA_SASL_OAUTH_TOKEN_URL": "http://localhost:9/token"}).kafka.sasl_oauth_token_url


@pytest.mark.parametrize("name", ["KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"])
def test_a_login_that_the_protocol_would_not_use_is_refused(name: str) -> None:
    assert problem(**{name: LOGIN[name]}) == (
        f"{name}: has no use with KAFKA_SECURITY_PROTOCOL=PLAINTEXT; that needs SASL_SSL"
    )


def test_credentials_of_the_other_mechanism_are_refused() -> None:
    assert problem(**LOGIN, KAFKA_SASL_OAUTH_SCOPE="x") == (
        "KAFKA_SASL_OAUTH_SCOPE: has no use with KAFKA_SASL_MECHANISM=SCRAM-SHA-512"
    )
    assert problem(**OAUTH, KAFKA_SASL_USERNAME="x") == (
        "KAFKA_SASL_USERNAME: has no use with KAFKA_SASL_MECHANISM=OAUTHBEARER"
    )


@pytest.mark.parametrize("name", ["KAFKA_SSL_CAFILE", "KAFKA_SSL_CERTFILE", "KAFKA_SSL_KEYFILE"])
def test_certificates_must_exist_and_be_used(name: str, tmp_path: Path) -> None:
    pem = tmp_path / "x.pem"
    assert problem(**{name: str(pem), "KAFKA_SECURITY_PROTOCOL": "SSL"}) == f"{name}: {pem}: No such file or directory"
    pem.write_text("pem")
    (line, *_) = problems(environ=ONE | {name: str(pem)})
    assert line == f"{name}: has no use with KAFKA_SECURITY_PROTOCOL=PLAINTEXT; that needs SSL or SASL_SSL"


def test_a_key_needs_its_certificate(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("pem")
    key = {"KAFKA_SSL_KEYFILE": str(tmp_path / "x.pem"), "KAFKA_SECURITY_PROTOCOL": "SSL"}
    assert problem(**key) == "KAFKA_SSL_CERTFILE: required with KAFKA_SSL_KEYFILE"
    assert read(**key, KAFKA_SSL_CERTFILE=str(tmp_path / "x.pem")).kafka.ssl_certfile == tmp_path / "x.pem"


def test_a_misspelt_protocol_is_one_problem_and_not_four() -> None:
    assert problem(**LOGIN | {"KAFKA_SECURITY_PROTOCOL": "SASL"}).startswith(
        "KAFKA_SECURITY_PROTOCOL: 'SASL' is refused"
    )


def test_a_password_that_travels_in_the_clear_is_warned_of() -> None:
    plain = {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_MECHANISM": "PLAIN"}
    (line,) = read(**LOGIN | plain).warnings
    assert line.startswith("KAFKA_SECURITY_PROTOCOL SASL_PLAINTEXT with PLAIN shows the credentials")
    assert read(**LOGIN | {"KAFKA_SASL_MECHANISM": "PLAIN"}).warnings == ()


def test_a_password_in_both_forms_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p")
    assert problem(**LOGIN, KAFKA_SASL_PASSWORD_FILE=str(tmp_path / "password")) == (
        "KAFKA_SASL_PASSWORD: KAFKA_SASL_PASSWORD_FILE is set as well; give one of them"
    )


def test_a_refused_password_file_is_one_problem(tmp_path: Path) -> None:
    config = tmp_path / "x.toml"
    config.write_text("[kafka]\nsasl_password_file = 5\n")
    login = {key: value for key, value in LOGIN.items() if key != "KAFKA_SASL_PASSWORD"}
    assert problem(**login, config=str(config)).startswith("KAFKA_SASL_PASSWORD_FILE: ")
