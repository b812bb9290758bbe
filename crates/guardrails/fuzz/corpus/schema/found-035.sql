CREATE TYPE order_status AS ENUM ('new','paid','sent','cancelled');
CRFROM users;
CREATE FUNCTION purge_users() ÿÿÿÿRETael"ÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿWeird ael"Tb ("Id" integer PRIMARY KEY, "Se ect" text);
CREATEAlterTableStmt VIEW KEY, " (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id bigiSe ect" text);
CREATEAlterTableStmt VI$$;
CREATE FUNCxp a IS 'day:rs'; END $$;
