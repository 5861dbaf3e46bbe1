-- The last word on each hit, over the tables that jdbc-sink.json fills. observed_at is RFC 3339 in UTC, always to the
-- microsecond, so that it sorts as text.
CREATE VIEW last_word AS
SELECT DISTINCT ON (server, conn_id) server, conn_id, hit, type_interaction, occurred_at, observed_at
FROM (SELECT * FROM wolkvox_hits UNION ALL SELECT * FROM wolkvox_hits_changes) AS event
ORDER BY server, conn_id, observed_at DESC, first_observed_at IS NULL; -- of two in one moment, the change
