CREATE TYPE order_stÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿ AS ENUM ('new','paid','sent','ca.ce¼¼¼¼¼t text NOT NULect x
CREL);
CREATE TACTION purga_users() RETURNS void LANGUAGE s“ß¾S $$ DELETE FROM users $$;
CREATE FUNCTION purge_old(days ipgsql AS $$ BEPROCEDURE wipe() LANGUA¹ºß“˜qlÜ¾S $ BEGIN EXECUTE 'TRUNCATE users'; END $$;
