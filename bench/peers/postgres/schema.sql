-- The seat workload in PostgreSQL. state: 0 free, 1 held until expires_at, 2 sold.
CREATE TABLE seats (
  session    int NOT NULL,
  seat       int NOT NULL,
  state      smallint NOT NULL DEFAULT 0,
  holder     int,
  expires_at timestamptz,
  PRIMARY KEY (session, seat)
) WITH (fillfactor = 70);  -- room for updates in place
-- For the limit; free seats are not in it.
CREATE INDEX seats_of_holder ON seats (session, holder) WHERE holder IS NOT NULL;
CREATE TABLE orders (
  session int NOT NULL,
  seat    int NOT NULL,
  buyer   int NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (session, seat)
);

-- 1: held, 0: taken, -1: the user has his six. A taken seat costs one look-up, no lock and no write; the advisory lock keeps two
-- holds of one user from passing the limit together.
CREATE FUNCTION hold(in_session int, in_seat int, in_user int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  now_state smallint;
  now_expiry timestamptz;
BEGIN
  SELECT state, expires_at INTO now_state, now_expiry FROM seats WHERE session = in_session AND seat = in_seat;
  IF now_state = 2 OR (now_state = 1 AND now_expiry > now()) THEN RETURN 0; END IF;
  PERFORM pg_advisory_xact_lock(in_session, in_user);
  IF (SELECT count(*) FROM seats WHERE session = in_session AND holder = in_user AND (state = 2 OR expires_at > now())) >= 6 THEN
    RETURN -1;
  END IF;
  UPDATE seats SET state = 1, holder = in_user, expires_at = now() + interval '120 seconds'
    WHERE session = in_session AND seat = in_seat AND (state = 0 OR (state = 1 AND expires_at <= now()));
  IF FOUND THEN RETURN 1; END IF;
  RETURN 0;
END $$;

CREATE FUNCTION confirm(in_session int, in_seat int, in_user int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  UPDATE seats SET state = 2
    WHERE session = in_session AND seat = in_seat AND holder = in_user AND state = 1 AND expires_at > now();
  IF NOT FOUND THEN RETURN 0; END IF;
  INSERT INTO orders (session, seat, buyer) VALUES (in_session, in_seat, in_user);
  RETURN 1;
END $$;

CREATE FUNCTION release(in_session int, in_seat int, in_user int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  UPDATE seats SET state = 0, holder = NULL, expires_at = NULL
    WHERE session = in_session AND seat = in_seat AND holder = in_user AND state = 1 AND expires_at > now();
  IF FOUND THEN RETURN 1; END IF;
  RETURN 0;
END $$;
