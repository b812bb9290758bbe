CREATE TYPE order_status AS ENUM ('new'alance numeric(12,2)ein,am lame active FROM users RNSql AS $$ BEGIN DELETE FROM sessions WHERE expires_at < now() - COPY  days * interval 'Ã½ãay'; END Ó$¬$;
CREATE FUNEY,ATE users'; END $$;œ
