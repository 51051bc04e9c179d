//! What goes to stdout: JSON documents and tables. The types here are the names in JSON, and a
//! promise to other programs.

mod address;
mod block;
mod case;
mod case_report;
mod casebook;
mod change;
mod claims;
mod cluster;
mod coinjoin;
mod config;
mod demo;
mod doctor;
mod document;
mod exposure;
mod peel;
mod rows;
mod screen;
mod status;
mod tags;
mod trace;
mod tx;
mod watch;

use std::io::{self, BufWriter, IsTerminal, Stdout, Write, stdout};

use serde::Serialize;

use crate::{
    args::{Common, Format},
    failure::Failure,
    say::coloured,
};

pub(crate) use self::{
    address::{AddressCluster, AddressDocument, AddressTotals, Received},
    block::{BlockDocument, Header},
    case::{CaseRunDocument, CaseVerifyDocument},
    case_report::CaseReportDocument,
    casebook::{CaseListDocument, CaseLogDocument, CaseShowDocument},
    change::{ChangeField, HeuristicField},
    claims::{ActorRow, ClaimRow, StatementRow},
    cluster::{
        AddressClaim, BuildDocument, ClusterField, ClusterTags, ClusteringField, DiffDocument,
        GuardField, GuardFinding, Regrouped, ShowDocument, StepRow, WhyDocument,
    },
    coinjoin::{
        AbsenceField, CoinJoinDocument, CoinJoinField, EntropyField, ErrorRates, FoundTransaction,
        ScanDocument,
    },
    config::{ConfigDocument, SettingRow},
    demo::{
        Actor, BeforeMixing, BoundsScore, ClusterScore, CoinJoinScore, DemoDestination,
        DemoDocument, Mixer, NamedParty, Names, PolicyScore, Rounds, Score, Share, Totals,
    },
    doctor::{CheckRow, Condition, DoctorDocument},
    document::{Body, Document, Provenance},
    exposure::{
        CategoryRow, EntityRow, ExposureDocument, ExposureReach, ExposureSide, ExposureSubject,
        ExposureTotals, RestRow, in_millionths,
    },
    peel::{
        PeelBranch, PeelDocument, PeelEnd, PeelHop, PeelOutput, PeelPayment, PeelSign, PeelTotals,
    },
    rows::{Facts, Rows},
    screen::{ScreenDocument, ScreenedRow, VerdictCounts},
    status::{
        CheckDocument, FileSize, IndexDocument, InspectDocument, Sizes, SparseDocument,
        StatusDocument,
    },
    tags::{
        BrokenRow, DisagreementRow, ReadRow, TagSizes, TagsImportDocument, TagsListDocument,
        TagsLookupDocument,
    },
    trace::{LISTED, Survey, side_by_side},
    tx::{Carried, Lock, OutputFate, SpentBy, TxDocument, TxInput, TxOutput},
    watch::{
        AlertRow, WatchAddedDocument, WatchAlertsDocument, WatchListDocument, WatchRow,
        WatchShowDocument,
    },
};
pub(crate) use report::model::Amount;

/// The way to stdout.
#[derive(Debug)]
pub(crate) struct Output {
    out: BufWriter<Stdout>,
    colour: bool,
}

impl Output {
    /// Coloured as `--color` says.
    pub(crate) fn new(common: &Common) -> Self {
        let colour = coloured(common.color, stdout().is_terminal());
        Self { out: BufWriter::with_capacity(1 << 16, stdout()), colour }
    }

    /// Whether tables may be coloured.
    pub(crate) fn colour(&self) -> bool {
        self.colour
    }

    /// An answer, as a table or as a document.
    pub(crate) fn answer<P: Serialize, B: Body>(
        &mut self,
        format: Format,
        provenance: Provenance<P>,
        body: B,
    ) -> Result<(), Failure> {
        match format {
            Format::Json => self.json(&Document::new(B::SCHEMA, provenance, body)),
            Format::Table => Ok(self.text(&body.to_table(self.colour))?),
        }
    }

    /// One document, each element of its lists on a line of its own.
    pub(crate) fn json(&mut self, document: &impl Serialize) -> Result<(), Failure> {
        Ok(report::export::json::write(document, &mut self.out)?)
    }

    /// Text for people.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    /// Everything else that writes.
    pub(crate) fn writer(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Must be called: what a closed pipe swallowed shows only here.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
