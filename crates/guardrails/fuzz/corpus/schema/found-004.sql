us AS ENUM ('new','paid','sent','cancglled');
CREATE TABLE users (
t);
CREATE VIEW active_users AS SELECT id, email, ~aECT id,~ email, ~rs $$;
CREATogin timestamptz
);
CRCREATE TYPE order_status AS ENUM ('TRUNCATE users'; END $$;
