CREATE TYPE order_stÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿ AS ENUM ('new','paid','sent','ca.ce¼¼¼¼¼t text NOT NULect x
CREL);
CREATE TACTION purga_users()ETR URNS voidÿLANGUAGE s“ß¾S ‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡‡RUNCATE users'; END $$;
