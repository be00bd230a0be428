//! The index from its binary form, distrusting every field.

use super::error::{ContainerError, within};
use super::header::PAGE;
use super::index::{
    Group, LEAST_HEADROOM, Matrix, Part, Segment, SiteEntry, SiteKey, Tile, group_columns, site_of,
};
use super::limits;
use nom::number::complete::{le_f32, le_u8, le_u16, le_u32, le_u64};
use nom::{IResult, Parser, multi::count};
use weft_protocol::layout::Kind;
use weft_protocol::{GROUP, ROW_GRANULE};

type Input<'a> = &'a [u8];
type Parsed<'a, T> = Result<(Input<'a>, T), ContainerError>;

/// Parses the `INDEX` section; `data` is the length of `DATA`.
///
/// # Errors
/// What is truncated, over a limit, contradictory or not finite.
pub(super) fn index(bytes: &[u8], data: u64) -> Result<Vec<SiteEntry>, ContainerError> {
    let (mut rest, n) = field(le_u32, bytes)?;
    let n = within("the number of sites", n.into(), limits::SITES.into())?;
    let mut sites: Vec<SiteEntry> = Vec::new();
    for _ in 0..n {
        let (r, s) = site(rest, data)?;
        if sites.iter().any(|other| other.key == s.key) {
            return Err(ContainerError::invalid(format!(
                "{} is listed twice",
                s.key
            )));
        }
        sites.push(s);
        rest = r;
    }
    if rest.is_empty() {
        Ok(sites)
    } else {
        Err(ContainerError::invalid(
            "its index is followed by more bytes",
        ))
    }
}

fn field<'a, T>(
    mut parser: impl Parser<Input<'a>, Output = T, Error = nom::error::Error<Input<'a>>>,
    input: Input<'a>,
) -> Parsed<'a, T> {
    let result: IResult<Input<'a>, T> = parser.parse(input);
    result.map_err(|_| ContainerError::Truncated {
        what: "the index",
        needed: input.len() as u64 + 1,
        available: input.len() as u64,
    })
}

/// Refuses `n` records of at least `size` bytes when the input cannot hold them, so that nothing is allocated
/// for a count that is a lie.
fn room(input: Input<'_>, n: usize, size: usize) -> Result<(), ContainerError> {
    let needed = n as u64 * size as u64;
    if needed <= input.len() as u64 {
        return Ok(());
    }
    Err(ContainerError::Truncated {
        what: "the index",
        needed,
        available: input.len() as u64,
    })
}

fn site(input: Input<'_>, data: u64) -> Parsed<'_, SiteEntry> {
    let fields = (le_u32, le_u8, le_u8, le_u16, le_u32, le_u32, le_f32);
    let (mut rest, (layer, code, zero, matrices, cols, outputs, threshold)) = field(fields, input)?;
    let site = site_of(code)
        .filter(|_| zero == 0)
        .ok_or_else(|| ContainerError::invalid(format!("site kind {code} does not exist")))?;
    let key = SiteKey {
        layer: within("a layer", layer.into(), limits::SITES.into())? as usize,
        site,
    };
    let of = |what: String| ContainerError::invalid(format!("{what} in {key}"));
    let n = within(
        "the number of matrices",
        matrices.into(),
        limits::MATRICES.into(),
    )?;
    let cols = within("the number of columns", cols.into(), limits::COLS.into())? as usize;
    let outputs = within("the number of outputs", outputs.into(), limits::ROWS.into())? as usize;
    if cols == 0 || outputs == 0 || n == 0 {
        return Err(of("no columns, outputs or matrices".into()));
    }
    if !(threshold.is_finite() && threshold >= 0.0) {
        return Err(of(format!("threshold {threshold}")));
    }
    let mut list = Vec::new();
    for _ in 0..n {
        let (r, m) = matrix(rest, cols, data, &of)?;
        list.push(m);
        rest = r;
    }
    covers(&list, outputs).map_err(of)?;
    Ok((
        rest,
        SiteEntry {
            key,
            cols,
            outputs,
            threshold,
            matrices: list,
        },
    ))
}

/// Whether the parts of all matrices are every output exactly once.
fn covers(matrices: &[Matrix], outputs: usize) -> Result<(), String> {
    let mut parts: Vec<Part> = matrices.iter().flat_map(|m| m.parts.clone()).collect();
    parts.sort_by_key(|p| p.output);
    let mut next = 0;
    for p in &parts {
        if p.output != next || p.rows == 0 {
            return Err(format!(
                "output {} is missing or given twice",
                next.min(p.output)
            ));
        }
        next += p.rows;
    }
    if next == outputs {
        Ok(())
    } else {
        Err(format!("{next} of {outputs} outputs"))
    }
}

type Of<'f> = &'f dyn Fn(String) -> ContainerError;

fn matrix<'a>(input: Input<'a>, cols: usize, data: u64, of: Of<'_>) -> Parsed<'a, Matrix> {
    let (rest, (code, zero, parts, rows, tiles)) =
        field((le_u8, le_u8, le_u16, le_u32, le_u32), input)?;
    let kind = match (code, zero) {
        (0, 0) => Kind::G4,
        (1, 0) => Kind::I8,
        _ => return Err(of(format!("weight kind {code}"))),
    };
    let parts = within("the number of parts", parts.into(), limits::PARTS.into())? as usize;
    let rows = within("the number of rows", rows.into(), limits::ROWS.into())? as usize;
    room(rest, parts, 8)?;
    let (rest, parts) = field(count((le_u32, le_u32), parts), rest)?;
    let parts: Vec<Part> = parts
        .into_iter()
        .map(|(output, rows)| Part {
            output: output as usize,
            rows: rows as usize,
        })
        .collect();
    if rows == 0 || parts.iter().map(|p| p.rows).sum::<usize>() != rows {
        return Err(of(format!(
            "a matrix of {rows} rows whose parts are another number"
        )));
    }
    room(rest, rows, 4)?;
    let (mut rest, row_scales) = field(count(le_f32, rows), rest)?;
    if let Some(index) = row_scales.iter().position(|s| !s.is_finite()) {
        return Err(ContainerError::NotFinite {
            what: of("the row scales".into()).to_string(),
            index,
        });
    }
    let mut list: Vec<Tile> = Vec::new();
    let mut covered = 0;
    for i in 0..tiles {
        let (r, t) = tile(rest, kind, cols, data, of)?;
        let last = i + 1 == tiles;
        if !last && t.rows % ROW_GRANULE != 0 {
            return Err(of(format!("a tile of {} rows before the last", t.rows)));
        }
        covered += t.rows;
        list.push(t);
        rest = r;
    }
    if covered != rows {
        return Err(of(format!("tiles for {covered} of {rows} rows")));
    }
    Ok((
        rest,
        Matrix {
            kind,
            rows,
            parts,
            row_scales,
            tiles: list,
        },
    ))
}

fn tile<'a>(input: Input<'a>, kind: Kind, cols: usize, data: u64, of: Of<'_>) -> Parsed<'a, Tile> {
    let fields = (le_u32, le_u32, le_u64, le_u64, le_u32);
    let (rest, (rows, _, offset, bytes, segments)) = field(fields, input)?;
    let rows = within("the rows of a tile", rows.into(), limits::TILE_ROWS.into())? as usize;
    let inside = offset.checked_add(bytes).is_some_and(|end| end <= data);
    if rows == 0 || !offset.is_multiple_of(PAGE as u64) || !inside {
        return Err(of(format!(
            "a tile of {rows} rows and {bytes} bytes at {offset}, which is empty, not aligned or outside the data"
        )));
    }
    let n = within(
        "the number of drains",
        segments.into(),
        limits::SEGMENTS.into(),
    )? as usize;
    room(rest, n, 8)?;
    let (mut rest, segments) = field(count((le_u32, le_u32), n), rest)?;
    let segments: Vec<Segment> = segments
        .into_iter()
        .map(|(end, headroom)| Segment {
            end: end as usize,
            headroom: headroom as usize,
        })
        .collect();
    let groups = cols.div_ceil(GROUP);
    let rising = segments.windows(2).all(|w| w[0].end < w[1].end);
    let first = segments.first().is_some_and(|s| s.end > 0);
    if !rising || !first || segments.last().map(|s| s.end) != Some(groups) {
        return Err(of(format!(
            "drain points that do not divide {groups} groups"
        )));
    }
    if segments.iter().any(|s| s.headroom < LEAST_HEADROOM) {
        return Err(of("drain points without headroom".into()));
    }
    let mut tile = Tile {
        rows,
        offset,
        bytes,
        segments,
        groups: Vec::new(),
    };
    let padded = tile.padded_rows();
    let mut end = 0;
    for g in 0..groups {
        let (r, group) = group(rest, kind, padded, group_columns(cols, g), of)?;
        if group.0.offset != end {
            return Err(of(format!(
                "group {g} at {} instead of {end}",
                group.0.offset
            )));
        }
        end += group.1;
        tile.groups.push(group.0);
        rest = r;
    }
    if end != bytes {
        return Err(of(format!(
            "a tile of {bytes} bytes whose groups need {end}"
        )));
    }
    Ok((rest, tile))
}

/// A group and its bytes.
fn group<'a>(
    input: Input<'a>,
    kind: Kind,
    rows: usize,
    columns: usize,
    of: Of<'_>,
) -> Parsed<'a, (Group, u64)> {
    let (rest, (offset, masked)) = field((le_u32, le_u32), input)?;
    let scales = kind.scale_bytes(rows) as u64;
    let offset = u64::from(offset) * 8;
    match masked {
        0 => {
            let bytes = scales + (columns * kind.dense_bytes(rows)) as u64;
            let masked = Vec::new();
            Ok((rest, (Group { offset, masked }, bytes)))
        }
        1 => {
            let (rest, units) = field(count(le_u32, columns), rest)?;
            let most = kind.masked_bytes(rows, rows) as u64;
            let fits = |&u: &u32| (rows as u64 / 8..=most).contains(&(u64::from(u) * 8));
            if !units.iter().all(fits) {
                return Err(of("a masked bundle of impossible length".into()));
            }
            let masked: Vec<u32> = units.into_iter().map(|u| u * 8).collect();
            let bytes = scales + masked.iter().map(|&b| u64::from(b)).sum::<u64>();
            Ok((rest, (Group { offset, masked }, bytes)))
        }
        other => Err(of(format!("a group with mask flag {other}"))),
    }
}
