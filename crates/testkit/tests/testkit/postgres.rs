use daypass_testkit::{Postgres, psql};

#[test]
fn the_shop_is_large_and_the_same_every_time() {
    let server = Postgres::start().unwrap();
    let url = server.shop().unwrap();
    let count = "SELECT (SELECT count(*) FROM customers) + (SELECT count(*) FROM products) + (SELECT count(*) FROM orders)
        + (SELECT count(*) FROM order_lines) + (SELECT count(*) FROM payments)";
    assert_eq!(psql(&url, count).unwrap(), "181400");
    let digest = "SELECT md5(string_agg(md5(p::text), '' ORDER BY id)) FROM payments p";
    assert_eq!(psql(&url, digest).unwrap(), "ef4d36fb9289250e720e3daa748b4a5b");
    assert_eq!(psql(&url, "SELECT order_total(7)").unwrap(), "104182");
    assert_eq!(psql(&url, "SELECT count(*) FROM open_orders").unwrap(), "10800");
}

#[test]
fn passwords_are_checked_with_scram_over_tcp_and_over_the_socket() {
    let server = Postgres::start().unwrap();
    server.sql("postgres", "CREATE ROLE visitor LOGIN PASSWORD 'right'").unwrap();
    assert_eq!(server.roles().unwrap(), ["visitor"]);
    assert!(
        server
            .sql("postgres", "SELECT rolpassword FROM pg_authid WHERE rolname = 'visitor'")
            .unwrap()
            .starts_with("SCRAM-SHA-256$")
    );
    let whoami = "SELECT current_user";
    assert_eq!(psql(&server.url_as("visitor", "right", "postgres"), whoami).unwrap(), "visitor");
    let socket = |password: &str| {
        format!(
            "postgresql://visitor:{password}@/postgres?host={}&port={}",
            server.socket_folder().display(),
            server.port()
        )
    };
    assert_eq!(psql(&socket("right"), whoami).unwrap(), "visitor");
    for url in [server.url_as("visitor", "wrong", "postgres"), socket("wrong")] {
        let refusal = psql(&url, whoami).unwrap_err().to_string();
        assert!(refusal.contains("password authentication failed"), "{refusal}");
    }
}

#[test]
fn it_comes_back_on_the_same_port_with_its_data_after_a_stop_and_after_a_crash() {
    let server = Postgres::start().unwrap();
    let port = server.port();
    server.sql("postgres", "CREATE TABLE kept AS SELECT 1 AS n; CHECKPOINT").unwrap();
    server.stop();
    let refusal = server.sql("postgres", "SELECT 1").unwrap_err().to_string();
    assert!(refusal.contains("Connection refused"), "{refusal}");
    server.start_again().unwrap();
    server.kill9();
    server.start_again().unwrap();
    assert_eq!(server.port(), port);
    assert_eq!(server.sql("postgres", "SELECT n FROM kept").unwrap(), "1");
}

#[test]
fn nothing_is_left_behind() {
    let server = Postgres::start().unwrap();
    let folder = server.socket_folder().to_owned();
    let port = server.port();
    drop(server);
    assert!(!folder.exists());
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn servers_run_side_by_side() {
    let first = Postgres::start().unwrap();
    let second = Postgres::start().unwrap();
    first.create_database("only_here").unwrap();
    let list = "SELECT count(*) FROM pg_database WHERE datname = 'only_here'";
    assert_eq!(first.sql("postgres", list).unwrap(), "1");
    assert_eq!(second.sql("postgres", list).unwrap(), "0");
}
