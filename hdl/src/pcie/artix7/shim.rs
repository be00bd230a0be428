//! Between the transaction interface of PCIE_2_1 in its 64-bit form and the neutral streams.

use crate::rtl::*;

/// Turns bytes around: the hard block has a packet's first byte in its high bits, the neutral stream in its low ones.
#[derive(LogicBlock, Default)]
pub struct Reverse {
    /// Eight bytes.
    pub from: Signal<In, Bits<64>>,
    /// The same, the other way round.
    pub to: Signal<Out, Bits<64>>,
}

impl Logic for Reverse {
    fn update(&mut self) {
        self.to.next = self.from.val().to_u64().swap_bytes().to_bits();
    }

    fn connect(&mut self) {
        self.to.connect();
    }

    fn hdl(&self) -> Verilog {
        let bytes: Vec<_> = (0..8)
            .map(|b| format!("from[{}:{}]", 8 * b + 7, 8 * b))
            .collect();
        Verilog::Wrapper(Wrapper {
            code: format!("assign to = {{{}}};", bytes.join(", ")),
            cores: String::new(),
        })
    }
}

/// The shim. Signals with `trn` or `cfg` in their name are the hard block's of that name.
#[derive(LogicBlock, Default)]
pub struct Shim {
    /// The user clock, 125 MHz.
    pub clock: Signal<In, Clock>,

    /// TRNRD, its low half.
    pub trn_rd: Signal<In, Bits<64>>,
    /// TRNRSRCRDY: the beat is valid.
    pub trn_rsrc_rdy: Signal<In, Bit>,
    /// TRNREOF: last beat.
    pub trn_reof: Signal<In, Bit>,
    /// TRNRREM, bit 0: the second doubleword of a last beat counts.
    pub trn_rrem: Signal<In, Bit>,
    /// TRNRERRFWD: poisoned.
    pub trn_rerrfwd: Signal<In, Bit>,
    /// TRNRBARHIT.
    pub trn_rbar_hit: Signal<In, Bits<8>>,
    /// TRNRDSTRDY.
    pub trn_rdst_rdy: Signal<Out, Bit>,
    /// TRNRNPOK: requests that want an answer may come.
    pub trn_rnp_ok: Signal<Out, Bit>,

    /// TRNTD, its low half.
    pub trn_td: Signal<Out, Bits<64>>,
    /// TRNTSRCRDY.
    pub trn_tsrc_rdy: Signal<Out, Bit>,
    /// TRNTSOF: first beat.
    pub trn_tsof: Signal<Out, Bit>,
    /// TRNTEOF: last beat.
    pub trn_teof: Signal<Out, Bit>,
    /// TRNTREM, bit 0.
    pub trn_trem: Signal<Out, Bit>,
    /// TRNTDSTRDY, bit 0.
    pub trn_tdst_rdy: Signal<In, Bit>,

    /// TRNFCPH, credits that are left, TRNFCSEL being 4.
    pub trn_fc_ph: Signal<In, Bits<8>>,
    /// TRNFCPD.
    pub trn_fc_pd: Signal<In, Bits<12>>,
    /// TRNFCNPH.
    pub trn_fc_nph: Signal<In, Bits<8>>,
    /// TRNFCCPLH.
    pub trn_fc_cplh: Signal<In, Bits<8>>,
    /// TRNFCCPLD.
    pub trn_fc_cpld: Signal<In, Bits<12>>,

    /// TRNLNKUP.
    pub trn_lnk_up: Signal<In, Bit>,
    /// USERRSTN.
    pub user_rst_n: Signal<In, Bit>,
    /// RECEIVEDFUNCLVLRSTN.
    pub received_reset_n: Signal<In, Bit>,
    /// CFGMSGRECEIVED.
    pub cfg_msg_received: Signal<In, Bit>,
    /// CFGMSGDATA; while no message comes, bus, device and function of the last configuration write.
    pub cfg_msg_data: Signal<In, Bits<16>>,

    /// To the card: see `rx_valid` there, and so on.
    pub rx_valid: Signal<Out, Bit>,
    /// The beat.
    pub rx_data: Signal<Out, Bits<64>>,
    /// Last beat.
    pub rx_last: Signal<Out, Bit>,
    /// The high doubleword counts.
    pub rx_keep: Signal<Out, Bit>,
    /// Poisoned.
    pub rx_poison: Signal<Out, Bit>,
    /// BAR0, BAR2.
    pub rx_bar: Signal<Out, Bits<2>>,
    /// The card takes the beat.
    pub rx_ready: Signal<In, Bit>,
    /// The card takes requests that want an answer.
    pub rx_read_ok: Signal<In, Bit>,
    /// The card sends a beat.
    pub tx_valid: Signal<In, Bit>,
    /// The beat.
    pub tx_data: Signal<In, Bits<64>>,
    /// Last beat.
    pub tx_last: Signal<In, Bit>,
    /// The high doubleword counts.
    pub tx_keep: Signal<In, Bit>,
    /// It is taken.
    pub tx_ready: Signal<Out, Bit>,
    /// Credits for writes.
    pub tx_posted_ok: Signal<Out, Bit>,
    /// Credits for reads.
    pub tx_read_ok: Signal<Out, Bit>,
    /// Credits for completions.
    pub tx_completion_ok: Signal<Out, Bit>,
    /// Bus, device, function.
    pub device: Signal<Out, Bits<16>>,
    /// Everything as after power-up.
    pub function_reset: Signal<Out, Bit>,

    receive: Reverse,
    send: Reverse,
    inside: DFF<Bit>,
    identity: DFF<Bits<16>>,
    posted: DFF<Bit>,
    reads: DFF<Bit>,
    completions: DFF<Bit>,
    down: DFF<Bit>,
}

impl Logic for Shim {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            inside,
            identity,
            posted,
            reads,
            completions,
            down
        );
        // Received packets: the same beats, bytes turned round.
        self.receive.from.next = self.trn_rd.val();
        self.rx_valid.next = self.trn_rsrc_rdy.val();
        self.rx_data.next = self.receive.to.val();
        self.rx_last.next = self.trn_reof.val();
        self.rx_keep.next = !self.trn_reof.val() || self.trn_rrem.val();
        self.rx_poison.next = self.trn_rerrfwd.val();
        self.rx_bar.next = (bit_cast::<2, 1>(self.trn_rbar_hit.val().get_bits::<1>(2)) << 1)
            | bit_cast::<2, 1>(self.trn_rbar_hit.val().get_bits::<1>(0));
        self.trn_rdst_rdy.next = self.rx_ready.val();
        self.trn_rnp_ok.next = self.rx_read_ok.val();

        // Sent packets: a first beat is one that follows a last one.
        self.send.from.next = self.tx_data.val();
        self.trn_td.next = self.send.to.val();
        self.trn_tsrc_rdy.next = self.tx_valid.val();
        self.trn_tsof.next = self.tx_valid.val() && !self.inside.q.val();
        self.trn_teof.next = self.tx_last.val();
        self.trn_trem.next = self.tx_keep.val();
        self.tx_ready.next = self.trn_tdst_rdy.val();
        if self.tx_valid.val() && self.trn_tdst_rdy.val() {
            self.inside.d.next = !self.tx_last.val();
        }

        // Room for two packets of a class; the hard block itself holds back what has no credits, so a late look at
        // them costs time at worst.
        self.posted.d.next = (self.trn_fc_ph.val() > 1) && (self.trn_fc_pd.val() > 63);
        self.reads.d.next = self.trn_fc_nph.val() > 1;
        self.completions.d.next = (self.trn_fc_cplh.val() > 1) && (self.trn_fc_cpld.val() > 15);
        self.tx_posted_ok.next = self.posted.q.val();
        self.tx_read_ok.next = self.reads.q.val();
        self.tx_completion_ok.next = self.completions.q.val();

        // Identity and resets.
        if !self.cfg_msg_received.val() {
            self.identity.d.next = self.cfg_msg_data.val();
        }
        self.device.next = self.identity.q.val();
        self.down.d.next =
            !self.trn_lnk_up.val() || !self.user_rst_n.val() || !self.received_reset_n.val();
        self.function_reset.next = self.down.q.val();
    }
}
