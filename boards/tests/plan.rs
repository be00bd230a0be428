//! The exact files and commands of one board a family.

use weft_boards::Catalog;
use weft_boards::plan::{Design, Options, Plan};
use weft_boards::tools::Tools;

fn plan(board: &str, design: Design) -> Plan {
    let catalog = Catalog::embedded().unwrap();
    let target = catalog.target(board).unwrap();
    Plan::new(
        &target,
        &Options {
            design,
            stream_bytes: 4,
            lanes: target.variant.core.map_or(1, |c| c.banks * c.batch),
            target_mhz: None,
            seed: 1,
            seeds: 1,
            drawn: false,
        },
    )
}

#[test]
fn ecp5() {
    insta::assert_snapshot!(plan("ulx3s-85f", Design::CoreOnly).text());
}

#[test]
fn ecp5_top() {
    insta::assert_snapshot!(plan("ulx3s-85f", Design::Top).text());
}

#[test]
fn ice40() {
    insta::assert_snapshot!(plan("icebreaker", Design::CoreOnly).text());
}

#[test]
fn gowin() {
    insta::assert_snapshot!(plan("tang-nano-9k", Design::CoreOnly).text());
}

#[test]
fn gatemate() {
    insta::assert_snapshot!(plan("gatemate-a1-evb", Design::CoreOnly).text());
}

#[test]
fn every_plan_is_complete() {
    let tools = Tools::embedded().unwrap();
    let catalog = Catalog::embedded().unwrap();
    for target in catalog.targets() {
        for design in [Design::Top, Design::CoreOnly, Design::MultiplierOnly] {
            let plan = plan(&target.variant.name, design);
            let mut known: Vec<&str> = plan.generated.iter().map(String::as_str).collect();
            known.extend(plan.files.iter().map(|f| f.name.as_str()));
            let mut steps = vec![&plan.synthesis, &plan.pack];
            steps.extend(plan.routes.iter().map(|r| &r.step));
            for step in steps {
                assert!(
                    tools.programs.iter().any(|p| p.name == step.program),
                    "{} is not in tools.toml",
                    step.program
                );
                for arg in &step.args {
                    assert!(!arg.contains(['{', '}']), "{arg} in {}", plan.board);
                    assert!(!arg.is_empty(), "empty argument in {}", plan.board);
                }
                known.extend(step.outputs.iter().map(String::as_str));
            }
            for name in plan.routed() {
                let own = format!("seed-1/{name}");
                assert!(known.contains(&own.as_str()), "{own} is never written");
            }
            let image = format!("packing/{}", plan.image);
            for needed in [&plan.cells, &image] {
                assert!(
                    known.contains(&needed.as_str()),
                    "{needed} is never written"
                );
            }
        }
    }
}

#[test]
fn only_a_core_of_many_lanes_is_placed_as_one() {
    let placer = ["--placer".to_owned(), "static".to_owned()];
    let has = |board: &str| {
        let plan = plan(board, Design::Top);
        plan.routes[0].step.args.windows(2).any(|a| a == placer)
    };
    assert!(has("ulx3s-85f"));
    assert!(!has("ulx3s-25f"));
}

#[test]
fn a_wished_clock_and_seed_reach_the_command() {
    let catalog = Catalog::embedded().unwrap();
    let target = catalog.target("ulx3s-85f").unwrap();
    let plan = Plan::new(
        &target,
        &Options {
            design: Design::CoreOnly,
            stream_bytes: 8,
            lanes: 1,
            target_mhz: Some(133.5),
            seed: 7,
            seeds: 3,
            drawn: true,
        },
    );
    assert_eq!(
        plan.routes.iter().map(|r| r.seed).collect::<Vec<_>>(),
        [7, 8, 9]
    );
    let route = plan.routes[1].step.args.join(" ");
    assert!(
        route.ends_with(
            "--freq 133.5 --seed 8 --report seed-8/report.json --write seed-8/routed.json"
        ),
        "{route}"
    );
    let count = plan.count().unwrap().args.join(" ");
    assert!(
        count.ends_with("--freq 133.5 --seed 7 --pack-only") && !count.contains("--textcfg"),
        "{count}"
    );
    let frame = &plan.files.iter().find(|f| f.name == "core_only.v").unwrap();
    assert!(frame.text.contains("in_data(stimulus[63:0])"));
}
