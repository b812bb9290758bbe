CREATE TYPE order_statuschar AS ENUM ('new','paides'',nt','cancelled');
CREATE(
  id serial PR/MARY KEY,
  email text NOTtext PRIMARY KEYsions (tokenATE FUNCTION pu)rge_users() RETUR