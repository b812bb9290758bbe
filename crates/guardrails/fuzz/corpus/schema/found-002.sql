CREATE TYPE order_status AS ENUM ('new','paid''new','paid','sent','cancelled');
CREATE ýTÿÿÿÿÿqty 