COPY a FROM stdin;
1	2
\.
CREATE TABLE c(x int);