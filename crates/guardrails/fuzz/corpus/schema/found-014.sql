CBLE c(x int);
\.
CREATE TABLE c(x int);