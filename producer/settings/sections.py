"""Every setting with its meaning: `section.field` in the file is `SECTION_FIELD` in the environment."""

from __future__ import annotations

import warnings
from typing import Annotated, Literal

from producer import duration
from producer.settings.fields import (
    REQUIRED,
    Brokers,
    Duration,
    Hits,
    Interval,
    Key,
    Lower,
    MemberName,
    NotAService,
    Number,
    Password,
    ReadableFile,
    SecretFile,
    Section,
    Server,
    Text,
    Token,
    Topic,
    Upper,
    Zone,
    at_least,
    at_most,
    renamed,
    setting,
)

# The broker counts milliseconds in 32 bits.
SessionTimeout = Annotated[Duration, at_most(2_147_483.0, show=duration.text)]
Recovery = Annotated[Literal["off", "history"], Lower]
RecoveredHit = Annotated[Literal["description_cod_act", "cod_act"], Lower]
Port = Annotated[Number, NotAService, at_least(0), at_most(65_535)]
Count = Annotated[Number, at_least(1)]
Replicas = Annotated[Number, at_least(1), at_most(32_767)]
Level = Annotated[Literal["debug", "info", "warning", "error"], renamed({"warn": "warning"}), Lower]
Format = Annotated[Literal["json", "console"], Lower]
Treatment = Annotated[Literal["keep", "hmac", "drop"], Lower]
Extra = Annotated[Literal["keep", "drop"], Lower]
Compression = Annotated[Literal["none", "gzip", "snappy", "lz4", "zstd"], Lower]
Protocol = Annotated[Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], Upper]
Mechanism = Annotated[Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"], Upper]


class Wolkvox(Section):
    """The source, if there is one only; with [[source]] tables the defaults of theirs."""

    server: Server | None = setting(
        None,
        "`0042`, `wv0042` or the whole URL: four digits (`42` is `0042`), and a string in the file",
        shown=REQUIRED,
        example="0042",
    )
    token: Token | None = setting(
        None,
        "Sent as header `wolkvox-token`; it or WOLKVOX_TOKEN_FILE",
        shown=REQUIRED,
        example="the-operations-token",
    )
    token_file: SecretFile | None = setting(
        None, "A file that holds the token, read again at each use", example="/run/secrets/wolkvox_token"
    )
    url: Text | None = setting(
        None,
        "Another base URL (simulator, proxy); plain http only for a loopback or single-label host, or with "
        "WOLKVOX_ALLOW_HTTP",
        shown="https://wv{server}.wolkvox.com",
        example="http://localhost:8090",
    )
    allow_http: bool = setting(False, "Accept plain http for any host: the token then travels unprotected")
    ssl_cafile: ReadableFile | None = setting(
        None,
        "PEM file of further authorities on the way to the API (a proxy that looks inside); read again when it changes",
        shown="the system's and the bundle's",
        example="/etc/ssl/proxy-ca.pem",
    )
    timezone: Zone = setting("America/Bogota", "Zone of the API's `date`")
    hits: Hits = setting(
        "all",
        "`all`: each row of the report is a hit; `marked`: a row whose `hit` is empty, blank, null, absent, `no`, `n`, "
        "`false` or `0` is told when it says otherwise, and not before",
    )
    window: Duration = setting(
        "10m",
        "How far back a snapshot surely reaches (the report's title says an hour, its text ten minutes: the worse)",
    )


class Poll(Section):
    """When to ask."""

    interval: Interval = setting("5m", "From the start of one poll to the start of the next; 1s and up")
    timeout: Duration = setting("60s", "For the whole call, from connecting to the last byte")


class Dedup(Section):
    """What counts as seen."""

    window: Duration = setting(
        "2h", "An id is forgotten this long after it, or one told with it, was last in a snapshot"
    )


class Privacy(Section):
    """What of people goes to the topics."""

    telephone: Treatment = setting(
        "keep",
        "`keep`: as sent; `hmac`: its HMAC-SHA-256 with PRIVACY_KEY in hex, so that consumers still join; `drop`: null",
    )
    customer_id: Treatment = setting("keep", "The same for the customer id")
    key: Key | None = setting(
        None,
        "The key for `hmac`, the same on every instance: 32 characters and up, as of `openssl rand -hex 32`",
        example="what-openssl-rand-hex-32-printed",
    )
    key_file: SecretFile | None = setting(
        None, "A file that holds the key, read again at each use", example="/run/secrets/privacy_key"
    )
    extra: Extra | None = setting(
        None,
        "Fields beyond the six, of hits and of dead rows: `keep` or `drop`; a telephone may be in one of them",
        shown="keep, drop if a telephone or customer id is not kept",
        example="drop",
    )

    @property
    def keeps_extra(self) -> bool:
        """Whether PRIVACY_EXTRA, or what it is by default, lets fields beyond the six through."""
        return self.extra == "keep" or (self.extra is None and self._keeps_people)

    @property
    def keeps_all(self) -> bool:
        """Whether rows go out as they came in."""
        return self.keeps_extra and self._keeps_people

    @property
    def _keeps_people(self) -> bool:
        return self.telephone == self.customer_id == "keep"


class Kafka(Section):
    """Where the events go, and who this instance is to the cluster."""

    bootstrap_servers: Brokers = setting("localhost:9092", "Brokers to start from: host:port, several with commas")
    topic: Topic = setting(
        "wolkvox.hits", "The others: with `.changes`, `.dead-letter`, `.coverage`, `.ledger` behind it"
    )
    group_id: Text = setting("wolkvox-hits", "The consumer group that hands out the shards")
    group_instance_id: MemberName | None = setting(
        None,
        "Static membership: a restart within the session timeout keeps its shards; another one for each instance",
        example="wolkvox-hits-1",
    )
    session_timeout: SessionTimeout = setting("10s", "How long a silent instance keeps its shards")
    create_topics: bool = setting(True, "Create the topics that are missing; existing ones are checked, never altered")
    partitions: Count = setting(12, "Of all but the ledger, when created (that is created with 12)")
    replication_factor: Replicas | None = setting(
        None, "Of the topics, when created", shown="broker's default", example=3
    )
    retention: Duration = setting("7d", "Of all but the ledger, when created")
    compression: Compression = setting(
        "none", "`none`, `gzip`, `snappy`, `lz4`, `zstd`; every consumer reads the first two without extra packages"
    )
    security_protocol: Protocol = setting("PLAINTEXT", "`PLAINTEXT`, `SSL`, `SASL_PLAINTEXT`, `SASL_SSL`")
    sasl_mechanism: Mechanism | None = setting(
        None, "`PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`, `OAUTHBEARER`", example="SCRAM-SHA-512"
    )
    sasl_username: Text | None = setting(None, "The user, for PLAIN and SCRAM", example="wolkvox-hits")
    sasl_password: Password | None = setting(None, "Its password", example="the-password")
    sasl_password_file: SecretFile | None = setting(
        None, "A file that holds the password, read again at each use", example="/run/secrets/kafka_password"
    )
    sasl_oauth_token_url: Text | None = setting(
        None,
        "For OAUTHBEARER: the https address that gives a token for the client credentials",
        example="https://login.example.com/oauth2/token",
    )
    sasl_oauth_client_id: Text | None = setting(None, "For OAUTHBEARER: the client", example="wolkvox-hits")
    sasl_oauth_client_secret: Password | None = setting(None, "Its secret", example="the-client-secret")
    sasl_oauth_client_secret_file: SecretFile | None = setting(
        None, "A file that holds the client secret, read again at each use", example="/run/secrets/kafka_client_secret"
    )
    sasl_oauth_scope: Text | None = setting(None, "For OAUTHBEARER, if the token server asks for one", example="kafka")
    ssl_cafile: ReadableFile | None = setting(
        None, "PEM file of the authorities that may sign the brokers", shown="the system's", example="/etc/kafka/ca.pem"
    )
    ssl_certfile: ReadableFile | None = setting(
        None, "PEM file of the client's certificate, for mutual TLS", example="/etc/kafka/client.pem"
    )
    ssl_keyfile: ReadableFile | None = setting(
        None, "PEM file of its key, if it is not in the same file", example="/etc/kafka/client.key"
    )

    @property
    def partitions_given(self) -> bool:
        """Whether KAFKA_PARTITIONS was set; only then an existing topic with another number is an error."""
        return "partitions" in self.model_fields_set

    @property
    def retention_given(self) -> bool:
        """Whether KAFKA_RETENTION was set; only then a cluster that refuses it is an error."""
        return "retention" in self.model_fields_set


with warnings.catch_warnings():
    # pydantic means what ABCMeta gives to every class; a section has no use for it.
    warnings.filterwarnings("ignore", 'Field name "register"', UserWarning)

    class Registry(Section):
        """A schema registry with Confluent's API. Without its address the values are JSON and nothing else."""

        url: Text | None = setting(
            None,
            "Its address, up to what `/subjects` follows; the values of all events then carry its frame",
            example="https://registry.example.com",
        )
        username: Text | None = setting(None, "The user, if it wants one", example="wolkvox-hits")
        password: Password | None = setting(None, "The user's password", example="the-password")
        password_file: SecretFile | None = setting(
            None, "A file that holds the password, read again at each use", example="/run/secrets/registry_password"
        )
        cafile: ReadableFile | None = setting(
            None,
            "PEM file of further authorities that may sign it",
            shown="the system's",
            example="/etc/ssl/registry-ca.pem",
        )
        register: bool = setting(
            True, "Register our schemas at the start where they are missing; else only look them up"
        )


class Pending(Section):
    """What waits in memory while Kafka is away."""

    limit: Count = setting(500_000, "Rows waiting for Kafka, all sources together; at the limit no snapshot is taken")


class Recover(Section):
    """What becomes of a coverage gap once it was told."""

    gaps: Recovery = setting(
        "off",
        "`history`: the hits of a told gap are fetched from the API's historical reports and published, if these know "
        "the hits before the gap by the same ids; `off`: a gap stays one",
    )
    delay: Duration = setting("20m", "How long after it was told a gap is healed: calls are typified after they end")
    hit: RecoveredHit = setting(
        "description_cod_act", "The field of the historical reports that becomes `hit`, or `cod_act`"
    )

    @property
    def heals(self) -> bool:
        """Whether gaps are."""
        return self.gaps == "history"


class Status(Section):
    """The status page, the probes and the metrics."""

    host: Text = setting("127.0.0.1", "Address to listen on; `*` for all, of IPv4 and IPv6, as in the image")
    port: Port = setting(8080, "0: any free one, logged")


class Log(Section):
    """Our own loggers; those of the Kafka and HTTP libraries stay at warning."""

    level: Level = setting("info", "`debug`, `info`, `warning`, `error`")
    format: Format | None = setting(
        None, "`json` (one object a line) or `console`", shown="json, console on a terminal", example="json"
    )
