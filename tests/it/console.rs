//! The console in a real browser, on a real Rega.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    thread,
};

use rega::model::Partitioner;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    broker::{self, unique},
    browser::Browser,
    client,
    owners::touchpoints,
    process::{Setup, free_port},
};

/// A demo with its console. Killed when dropped.
struct Demo {
    child: Child,
    address: String,
}

impl Demo {
    /// Starts a small one: the program under test may not be optimised.
    fn start() -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let mut child = Command::new(env!("CARGO_BIN_EXE_rega"))
            .args(["demo", "--seconds", "600", "--customers", "300", "--rate", "12", "--http"])
            .arg(&address)
            .env_clear()
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It speaks when it runs, and then somebody has to listen.
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        said.next().unwrap().unwrap();
        thread::spawn(move || said.map_while(Result::ok).for_each(drop));
        Self { child, address }
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Opens the console and waits until moments have come.
fn opened(demo: &Demo, browser: &Browser, options: &str) {
    browser.open(&format!("{}{options}", demo.url()));
    browser.wait_for("document.querySelector('#moments li')");
}

#[test]
fn the_console_shows_what_happens_and_says_nothing_bad() {
    let Some(browser) = Browser::start() else { return };
    let demo = Demo::start();
    opened(&demo, &browser, "?language=en&theme=light");
    // The funnel moves: a line's count grows.
    let steps = "[...document.querySelectorAll('#funnel table tbody td:last-child')]
        .reduce((sum, cell) => sum + Number(cell.textContent.replaceAll(',', '')), 0)";
    let before = browser.wait_for(steps).as_f64().unwrap();
    browser.wait_for(&format!("{steps} > {before}"));
    // People stand at stages, and their numbers are those of the API.
    browser.wait_for("/[1-9]/.test(document.querySelector('#funnel .count').textContent)");
    browser.wait_for("document.querySelector('#heat td.hot')");
    browser.wait_for("document.querySelector('.state').dataset.state === 'live'");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let weight = browser.weight();
    println!("the console weighs {weight} bytes");
    assert!((20_000..150_000).contains(&weight), "{weight} bytes");
}

#[test]
fn a_customer_is_found_and_the_score_explained() {
    let Some(browser) = Browser::start() else { return };
    let demo = Demo::start();
    opened(&demo, &browser, "?language=en");
    let id = browser.run("return document.querySelector('#moments .who button').innerText");
    let id = id.as_str().unwrap().to_owned();
    // By the keyboard alone.
    browser.press("/");
    browser.wait_for("document.activeElement.id === 'who'");
    browser.press(&format!("{id}\u{e007}"));
    browser.wait_for("document.querySelector('#customer[open] tfoot td')");
    assert_eq!(browser.run("return document.querySelector('#customer h2').innerText"), *id);
    // What the rules gave sums to the track that is shown, and to the bar above.
    let sums = browser.run(
        "const rows = [...document.querySelectorAll('#customer tbody tr')].map((row) =>
           [row.cells[0].innerText, Number(row.cells[5].innerText)]);
         return [...document.querySelectorAll('#customer tfoot tr')].map((row) => {
           const track = row.cells[0].firstChild.textContent.trim();
           const sum = rows.filter(([name]) => name === track).reduce((all, [, n]) => all + n, 0);
           return [track, sum, Number(row.cells[1].innerText)];
         });",
    );
    let sums = sums.as_array().unwrap();
    assert!(!sums.is_empty());
    for each in sums {
        let [_, sum, shown] = each.as_array().unwrap().as_slice() else { panic!("{each}") };
        let (sum, shown) = (sum.as_f64().unwrap(), shown.as_f64().unwrap());
        // Each line is rounded to a tenth.
        assert!((sum.clamp(0.0, 100.0) - shown).abs() < 1.0, "{each}");
    }
    browser.press("\u{e00c}");
    browser.wait_for("!document.querySelector('#customer[open]')");
    let nobody = format!("{}#customer=nobody", demo.url());
    browser.open("about:blank");
    browser.open(&nobody);
    browser.wait_for("/Nobody/.test(document.querySelector('#customer').innerText)");
}

#[test]
fn hebrew_and_persian_mirror_the_page() {
    let Some(browser) = Browser::start() else { return };
    let demo = Demo::start();
    opened(&demo, &browser, "?language=en");
    let left = "document.querySelectorAll('#funnel .node')[0].getBoundingClientRect().left";
    let left_to_right = browser.run(&format!("return {left}")).as_f64().unwrap();
    for (language, word) in [("he", "משפך"), ("fa", "قیف")] {
        browser.run(&format!(
            "const select = document.querySelector('#language'); select.value = '{language}';
             select.dispatchEvent(new Event('change'));"
        ));
        assert_eq!(browser.run("return document.documentElement.dir"), "rtl");
        assert_eq!(browser.run("return document.documentElement.lang"), language);
        assert_eq!(browser.run("return document.querySelector('#funnel-title').innerText"), word);
        // Awareness is on the right now.
        let now = browser.run(&format!("return {left}")).as_f64().unwrap();
        assert!(left_to_right + 300.0 < now, "{language}: {left_to_right} and {now}");
        // An id runs as it is written, whatever the page does.
        let id = "document.querySelector('#moments .who bdi').dir === 'auto'";
        assert_eq!(browser.run(&format!("return {id}")), true);
        // Nothing of English is left in what the page itself says.
        let english = browser.run(
            "return [...document.querySelectorAll('[data-say]')].map((each) => each.textContent)
               .filter((text) => /[a-z]{3}/.test(text) && !/Rega/.test(text));",
        );
        assert_eq!(english, Value::Array(Vec::new()), "{language}");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn everybody_can_use_it() {
    let Some(browser) = Browser::start() else { return };
    let demo = Demo::start();
    for options in
        ["?language=en&theme=light", "?language=en&theme=dark", "?language=he&theme=light"]
    {
        opened(&demo, &browser, options);
        browser.wait_for("document.querySelector('#heat td.hot')");
        let Some(found) = browser.accessibility() else { return };
        assert!(found.is_empty(), "{options}:\n{}", found.join("\n"));
        browser.run("document.querySelector('#moments .who button').click()");
        browser.wait_for("document.querySelector('#customer[open] tfoot td')");
        let found = browser.accessibility().unwrap();
        assert!(found.is_empty(), "a customer, {options}:\n{}", found.join("\n"));
    }
}

#[test]
fn a_token_is_asked_for_and_a_customer_of_another_instance_is_one_link_away() {
    let Some(browser) = Browser::start() else { return };
    let Some(broker) = broker::shared() else { return };
    let app = unique("links");
    let topic = format!("{app}-touchpoints");
    client::create_topic(broker, &topic, 4, &[]);
    // Enough customers for the instances to learn who places them.
    let customers = touchpoints(Partitioner::Murmur2, 300);
    let borrowed: Vec<(i32, &str, &str)> =
        customers.iter().map(|(at, key, value)| (*at, &**key, &**value)).collect();
    client::produce(&broker.address(), &topic, &borrowed);
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let settings = "workers: 1\nhttp: { listen: \"127.0.0.1:0\", token: open-sesame-open-sesame }\n\
                    input: { partitioner: murmur2 }";
    let setup =
        |index: usize| Setup { broker, app: &app, folder: folders[index].path(), more: settings };
    let mut first = setup(0).start();
    let first_address = first.address();
    first.wait_for_each("partition ready", 4);
    let mut second = setup(1).start();
    let second_address = second.address();
    second.wait_for_each("partition ready", 2);
    let page = |address: &str| format!("http://{address}/?language=en");
    let enter = |token: &str| {
        browser.wait_for("document.querySelector('#ask[open]')");
        browser.run(
            "document.getElementById('token').value = ''; document.getElementById('token').focus()",
        );
        browser.press(&format!("{token}\u{e007}"));
    };
    browser.open(&page(&first_address));
    // A wrong one is asked for again.
    browser.wait_for("document.querySelector('#ask[open]')");
    // It is open again within milliseconds.
    browser.run(
        "document.getElementById('ask').addEventListener('close', () => { window.asked = true; })",
    );
    enter("sesame");
    browser.wait_for("window.asked");
    enter("open-sesame-open-sesame");
    browser.wait_for("document.querySelector('.state').dataset.state === 'live'");
    // Each partition has one owner; of four customers on four partitions two are elsewhere.
    let one_each = (0..4).map(|at| customers.iter().find(|(place, ..)| *place == at).unwrap());
    let mut away = None;
    for (_, customer, _) in one_each {
        browser.run(&format!("document.getElementById('who').value = '{customer}'"));
        browser.run("document.querySelector('#customer[open]')?.close()");
        browser.run("document.getElementById('find').requestSubmit()");
        let seen = browser.wait_for(
            "document.querySelector('#customer[open] .score') ? 'here'
               : document.querySelector('#customer[open] a')?.href",
        );
        if seen != "here" {
            away = Some((customer, seen.as_str().unwrap().to_owned()));
        }
    }
    let (customer, link) = away.expect("somebody is at the other instance");
    assert_eq!(link, format!("http://{second_address}/#customer={customer}"));
    browser.open(&link);
    enter("open-sesame-open-sesame");
    browser.wait_for("document.querySelector('#customer[open] .score')");
}
