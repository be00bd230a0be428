//! The columns of a group, as they lie in the file and go over the link.

/// A group's bytes in the file.
#[derive(Clone, Debug)]
pub struct GroupData<'a> {
    /// Whether each bundle begins with a mask.
    pub masked: bool,
    /// Scale words; `None` for `i8`.
    pub scales: Option<&'a [u8]>,
    pub(super) bundles: &'a [u8],
    /// End of each bundle in `bundles`.
    pub(super) ends: Ends<'a>,
}

/// Where bundles end.
#[derive(Clone, Debug)]
pub(super) enum Ends<'a> {
    /// All are this long.
    Every(usize),
    /// Each has a length of its own.
    Lengths(&'a [u32]),
}

impl<'a> GroupData<'a> {
    /// The bundles in column order.
    pub fn bundles(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        let mut rest = self.bundles;
        let mut i = 0;
        std::iter::from_fn(move || {
            let len = match self.ends {
                Ends::Every(n) => n,
                Ends::Lengths(l) => l.get(i).map_or(0, |&n| n as usize),
            };
            i += 1;
            if rest.is_empty() || len == 0 {
                return None;
            }
            let (bundle, r) = rest.split_at(len);
            rest = r;
            Some(bundle)
        })
    }
}
