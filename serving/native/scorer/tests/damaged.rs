//! Bundles damaged at thousands of places, their checksum set right again: refused, or scored within their bounds.
use scorer::bundle::{Bundle, Score};
use scorer::features::Row;
use scorer::layout;
use scorer::score::{CATEGORICAL, LEAF, MISSING_RIGHT, Node};
use std::{fs, path::PathBuf, process};

const SPEC: &str = r#"{"version": 1, "pipeline": "p",
  "event": {"fields": [{"name": "id", "type": "string", "required": true, "sensitive": false},
                       {"name": "at", "type": "timestamp", "required": false, "sensitive": false},
                       {"name": "size", "type": "double", "required": false, "sensitive": false},
                       {"name": "colour", "type": "string", "required": false, "sensitive": false}],
            "key": ["id"], "id": "id", "time": "at", "host": null},
  "label": {"fields": [{"name": "id", "type": "string", "required": true, "sensitive": false},
                       {"name": "late", "type": "boolean", "required": false, "sensitive": false}],
            "key": ["id"], "time": null,
            "value": {"format": 1, "fields": [["late", "boolean"]], "constants": [], "instructions": [],
                      "outputs": [["value", "boolean", "f0"]]}},
  "wait": {"duration_us": 1}, "max_wait_us": 2,
  "features": {"columns": [{"name": "size", "type": "double"}, {"name": "colour", "type": "string"}],
               "program": {"format": 1, "fields": [["size", "double"], ["colour", "string"]], "constants": [],
                           "instructions": [], "outputs": [["size", "double", "f0"], ["colour", "string", "f1"]]}}}"#;
const FEATURES: &str = r#"[{"name": "size", "type": "double", "levels": null, "min": 0.0, "max": 9.0},
  {"name": "colour", "type": "string", "levels": ["blue", "green", "red"], "min": null, "max": null}]"#;
const MODEL: &str = r#"{"algorithm": "gbm", "link": "logit", "init_f": 0.25, "threshold": 0.5}"#;
const TREES: u32 = 40;

fn leaf(at: u32, value: f32, number: u32) -> Node {
    Node {
        children: LEAF | at,
        feature: 0,
        offset: 0,
        value: value.to_bits(),
        count: number,
    }
}

/// Five nodes a tree: the size against 2, then the colour among {green}.
fn tree(root: u32, leaves: u32) -> [Node; 5] {
    [
        Node {
            children: root + 1,
            feature: 0,
            offset: 0,
            value: 2f32.to_bits(),
            count: 0,
        },
        leaf(root + 1, -0.5, leaves),
        Node {
            children: CATEGORICAL | MISSING_RIGHT | (root + 3),
            feature: 1,
            offset: 0,
            value: 0,
            count: 3,
        },
        leaf(root + 3, 0.25, leaves + 1),
        leaf(root + 4, 1.0, leaves + 2),
    ]
}

fn whole() -> Vec<u8> {
    laid_out(MODEL, TREES)
}

fn laid_out(model: &str, trees: u32) -> Vec<u8> {
    let nodes: Vec<Node> = (0..trees)
        .flat_map(|number| tree(5 * number, 3 * number))
        .collect();
    let roots: Vec<u32> = (0..trees).map(|number| 5 * number).collect();
    let leaf_ids: Vec<u32> = (0..3 * trees).collect();
    let weights = vec![1f32; nodes.len()];
    layout::lay_out([
        br#"{"version": "p-1"}"#,
        SPEC.as_bytes(),
        model.as_bytes(),
        FEATURES.as_bytes(),
        bytemuck::cast_slice(&roots),
        bytemuck::cast_slice(&nodes),
        &[0b1010],
        bytemuck::cast_slice(&leaf_ids),
        bytemuck::cast_slice(&weights),
    ])
}

/// A folder of this test's own, removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("scorer-{name}-{}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn open(&self, bytes: &[u8]) -> scorer::error::Result<Bundle> {
        let path = self.0.join("bundle"); // unlinked, not rewritten: the last one may still be mapped
        let _ = fs::remove_file(&path);
        fs::write(&path, bytes).unwrap();
        Bundle::open(&path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Steele's and Vigna's splitmix64: a seed gives the same damage everywhere.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

fn rows() -> Vec<Row> {
    let numbers = [f64::NAN, -1.0, 2.0, f64::INFINITY];
    let categories = [0, 1, 2, u32::MAX];
    let row = |number, category| Row {
        numbers: vec![number, f64::from(category)],
        categories: vec![u32::MAX, category],
    };
    numbers
        .iter()
        .flat_map(|number| categories.map(|category| row(*number, category)))
        .collect()
}

#[test]
fn scores_as_laid_out() {
    let folder = Folder::new("whole");
    let bundle = folder.open(&whole()).unwrap();
    let answer = bundle.answer(
        br#"{"id": "q", "size": 3, "colour": "green"}"#,
        None,
        0,
        None,
    );
    let expected = 1.0 / (1.0 + (-(0.25f64 + f64::from(TREES))).exp());
    assert_eq!(
        answer.score,
        Some(Score {
            probability: expected,
            positive: true
        })
    );
    let row = &rows()[0];
    assert_eq!(
        bundle.score_with_leaves(row).1,
        (0..TREES).map(|number| 3 * number).collect::<Vec<_>>()
    );
}

#[test]
fn a_damaged_bundle_is_refused_or_stays_within_its_bounds() {
    let (folder, whole, rows) = (Folder::new("damaged"), whole(), rows());
    let (mut chance, mut refused, mut scored) = (Chance(20_261_121), 0, 0);
    for _ in 0..6000 {
        let mut bytes = whole.clone();
        for _ in 0..=chance.below(3) {
            let at = chance.below(bytes.len());
            bytes[at] = chance.below(256) as u8;
        }
        layout::seal(&mut bytes);
        match folder.open(&bytes) {
            Err(_) => refused += 1,
            Ok(bundle) => {
                rows.iter()
                    .for_each(|row| assert!(bundle.score(row).probability >= 0.0));
                bundle.answer(
                    br#"{"id": "q", "size": 3, "colour": "green"}"#,
                    None,
                    0,
                    None,
                );
                scored += 1;
            }
        }
    }
    assert!(
        refused > 600 && scored > 600,
        "{refused} refused, {scored} scored"
    );
}

/// 0.5 a unit of size, 2 for green, blue where the colour is missing; the mean of size is 4.
const LINEAR: &str = r#"{"algorithm": "glm", "intercept": -1.0, "threshold": 0.5, "terms": [
  {"levels": {"feature": 1, "coefficients": [0.25, 2.0, 0.0], "mode": 0}},
  {"number": {"feature": 0, "coefficient": 0.5, "mean": 4.0}}]}"#;

#[test]
fn a_linear_model_adds_its_terms_and_has_no_trees() {
    let folder = Folder::new("linear");
    let bundle = folder.open(&laid_out(LINEAR, 0)).unwrap();
    let probability = |body: &[u8]| {
        bundle
            .answer(body, None, 0, None)
            .score
            .unwrap()
            .probability
    };
    let logit = |eta: f64| 1.0 / ((-eta).exp() + 1.0);
    assert_eq!(
        probability(br#"{"id": "q", "size": 3, "colour": "green"}"#),
        logit(2.0 + 0.5 * 3.0 - 1.0)
    );
    assert_eq!(
        probability(br#"{"id": "q"}"#),
        logit(0.25 + 0.5 * 4.0 - 1.0)
    );
    assert!(folder.open(&laid_out(LINEAR, 1)).is_err());
    assert!(folder.open(&laid_out(MODEL, 0)).is_err());
}

#[test]
fn a_term_of_no_feature_or_of_another_kind_is_refused() {
    let folder = Folder::new("terms");
    for (of, other) in [
        (r#""feature": 0"#, r#""feature": 2"#),
        (r#""feature": 1"#, r#""feature": 0"#),
        (r#""mode": 0"#, r#""mode": 3"#),
        (r#""mean": 4.0"#, r#""mean": 1e999"#),
    ] {
        let model = LINEAR.replace(of, other);
        assert!(folder.open(&laid_out(&model, 0)).is_err(), "{other}");
    }
}

#[test]
fn opposite_overflows_give_a_number() {
    let folder = Folder::new("overflow");
    let second = r#"{"number": {"feature": 0, "coefficient": -1e10, "mean": 0.0}}, {"number""#;
    let model = LINEAR
        .replace(r#"{"number""#, second)
        .replace("0.5, \"mean\"", "1e10, \"mean\"");
    let bundle = folder.open(&laid_out(&model, 0)).unwrap();
    let answer = bundle.answer(br#"{"id": "q", "size": 1e300}"#, None, 0, None);
    assert!(answer.score.unwrap().probability.is_finite());
}

#[test]
fn a_child_before_its_parent_is_refused() {
    let (folder, mut bytes) = (Folder::new("circle"), whole());
    let root = tree(0, 0)[0];
    let at = bytes
        .windows(16)
        .position(|window| window == bytemuck::bytes_of(&root))
        .unwrap();
    bytes[at..at + 4].copy_from_slice(&0u32.to_le_bytes());
    layout::seal(&mut bytes);
    let refusal = folder.open(&bytes).unwrap_err().to_string();
    assert_eq!(
        refusal,
        "the bundle's tree 0, node 0: its children are not behind it within the tree"
    );
}
