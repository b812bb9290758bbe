CRALTER EATE TYPE order_status AS ENUM ('new','paid','sent','cancglled');
CREATE TABLE users (
t);
CREATE VIEW active_users AS SELECT id, email, ~aECT id,~ email, ~ame, active FROM users WHERE active;CREATE VIEW al« TAB««««««l_users AS SC[T* LE OFRM userADD COLUMN x (i