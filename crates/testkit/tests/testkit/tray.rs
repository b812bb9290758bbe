//! The menu of the test is exported by a small panel icon of its own, with the same library that the application uses
//! through its toolkit: a program in Python's place would need one more package, so it speaks the protocol directly.

use std::{collections::HashMap, time::Duration};

use daypass_testkit::{Bus, Tray};
use zbus::{
    Connection, connection, interface,
    zvariant::{OwnedObjectPath, OwnedValue, StructureBuilder, Value},
};

struct Icon;

#[interface(name = "org.kde.StatusNotifierItem")]
impl Icon {
    #[zbus(property)]
    fn menu(&self) -> OwnedObjectPath {
        OwnedObjectPath::try_from("/menu").unwrap()
    }

    #[zbus(property, name = "XAyatanaLabel")]
    fn label(&self) -> &'static str {
        "2 live"
    }
}

struct Menu(tokio::sync::mpsc::UnboundedSender<i32>);

type Entry<'a> = (i32, HashMap<&'static str, Value<'a>>, Vec<Value<'a>>);

fn entry<'a>(id: i32, properties: &[(&'static str, Value<'a>)], children: Vec<Entry<'a>>) -> Entry<'a> {
    let children = children.into_iter().map(|(id, properties, children)| {
        let fields = StructureBuilder::new().add_field(id).add_field(properties).add_field(children);
        Value::from(fields.build().unwrap())
    });
    (
        id,
        properties.iter().map(|(name, value)| (*name, value.try_clone().unwrap())).collect(),
        children.collect(),
    )
}

#[interface(name = "com.canonical.dbusmenu")]
impl Menu {
    fn get_layout(&self, _parent: i32, _depth: i32, _names: Vec<String>) -> (u32, Entry<'static>) {
        let text = |text: &'static str| ("label", Value::from(text));
        let ask = entry(
            2,
            &[text("_Request access")],
            vec![
                entry(3, &[text("orders__prod · read")], vec![]),
                entry(4, &[text("mail · write"), ("enabled", Value::from(false))], vec![]),
            ],
        );
        let ticked =
            [text("Quiet"), ("toggle-type", Value::from("checkmark")), ("toggle-state", Value::from(1))];
        let root = entry(
            0,
            &[],
            vec![
                ask,
                entry(5, &[("type", Value::from("separator"))], vec![]),
                entry(6, &ticked, vec![]),
                entry(7, &[text("Hidden"), ("visible", Value::from(false))], vec![]),
                entry(8, &[text("Quit")], vec![]),
            ],
        );
        (1, root)
    }

    fn event(&self, id: i32, kind: String, _data: OwnedValue, _time: u32) {
        if kind == "clicked" {
            self.0.send(id).unwrap();
        }
    }
}

async fn show_icon(address: &str) -> (Connection, tokio::sync::mpsc::UnboundedReceiver<i32>) {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let connection = connection::Builder::address(address).unwrap();
    let connection = connection
        .serve_at("/icon", Icon)
        .unwrap()
        .serve_at("/menu", Menu(sender))
        .unwrap()
        .build()
        .await
        .unwrap();
    let watcher = zbus::Proxy::new(
        &connection,
        "org.kde.StatusNotifierWatcher",
        "/StatusNotifierWatcher",
        "org.kde.StatusNotifierWatcher",
    );
    watcher.await.unwrap().call::<_, _, ()>("RegisterStatusNotifierItem", &("/icon",)).await.unwrap();
    (connection, receiver)
}

/// Inside a runtime of the test's own: the tray must not mind.
#[tokio::test(flavor = "multi_thread")]
async fn the_menu_is_read_and_clicked_as_a_panel_does() {
    let bus = Bus::start().unwrap();
    let tray = Tray::watch(&bus).unwrap();
    assert!(tray.menu().unwrap_err().to_string().contains("no icon"));
    let (_connection, mut clicked) = show_icon(&bus.address()).await;
    tray.wait_for_icon(Duration::from_secs(5)).unwrap();
    assert_eq!(tray.text().unwrap(), "2 live");
    let menu = "Request access\n  orders_prod · read\n  · mail · write\n---\n✓ Quiet\nQuit\n";
    assert_eq!(tray.menu_text().unwrap(), menu);
    tray.click(&["Request access", "orders_prod"]).unwrap();
    assert_eq!(clicked.recv().await, Some(3));
    tray.click(&["Quit"]).unwrap();
    assert_eq!(clicked.recv().await, Some(8));
    let missing = tray.wait_for("Release", Duration::from_millis(50)).unwrap_err().to_string();
    assert!(missing.contains("Request access"), "{missing}");
}
