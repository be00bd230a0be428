// Model of the ECP5's multiplier MULT18X18D, for simulating netlists; yosys has its ports only.
//
// Written from Lattice FPGA-TN-02205 (ECP5 and ECP5-5G sysDSP usage guide). Signed or unsigned 18 x 18 bits, a register
// each before the factors, in the middle and behind the product; a register whose clock is "NONE" is not there.
// Not modelled: the shift chain (SOURCEA and SOURCEB must be low), C, the bypass, asynchronous resets.
module MULT18X18D #(
  parameter REG_INPUTA_CLK = "NONE",
  parameter REG_INPUTA_CE = "CE0",
  parameter REG_INPUTA_RST = "RST0",
  parameter REG_INPUTB_CLK = "NONE",
  parameter REG_INPUTB_CE = "CE0",
  parameter REG_INPUTB_RST = "RST0",
  parameter REG_INPUTC_CLK = "NONE",
  parameter REG_INPUTC_CE = "CE0",
  parameter REG_INPUTC_RST = "RST0",
  parameter REG_PIPELINE_CLK = "NONE",
  parameter REG_PIPELINE_CE = "CE0",
  parameter REG_PIPELINE_RST = "RST0",
  parameter REG_OUTPUT_CLK = "NONE",
  parameter REG_OUTPUT_CE = "CE0",
  parameter REG_OUTPUT_RST = "RST0",
  parameter CLK0_DIV = "ENABLED",
  parameter CLK1_DIV = "ENABLED",
  parameter CLK2_DIV = "ENABLED",
  parameter CLK3_DIV = "ENABLED",
  parameter HIGHSPEED_CLK = "NONE",
  parameter GSR = "ENABLED",
  parameter CAS_MATCH_REG = "FALSE",
  parameter SOURCEB_MODE = "B_SHIFT",
  parameter MULT_BYPASS = "DISABLED",
  parameter RESETMODE = "SYNC"
) (
  input wire A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
  input wire B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
  input wire C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
  input wire SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
  input wire CLK3, CLK2, CLK1, CLK0,
  input wire CE3, CE2, CE1, CE0,
  input wire RST3, RST2, RST1, RST0,
  input wire SRIA17, SRIA16, SRIA15, SRIA14, SRIA13, SRIA12, SRIA11, SRIA10, SRIA9, SRIA8, SRIA7, SRIA6, SRIA5, SRIA4,
    SRIA3, SRIA2, SRIA1, SRIA0,
  input wire SRIB17, SRIB16, SRIB15, SRIB14, SRIB13, SRIB12, SRIB11, SRIB10, SRIB9, SRIB8, SRIB7, SRIB6, SRIB5, SRIB4,
    SRIB3, SRIB2, SRIB1, SRIB0,
  output wire SROA17, SROA16, SROA15, SROA14, SROA13, SROA12, SROA11, SROA10, SROA9, SROA8, SROA7, SROA6, SROA5,
    SROA4, SROA3, SROA2, SROA1, SROA0,
  output wire SROB17, SROB16, SROB15, SROB14, SROB13, SROB12, SROB11, SROB10, SROB9, SROB8, SROB7, SROB6, SROB5,
    SROB4, SROB3, SROB2, SROB1, SROB0,
  output wire ROA17, ROA16, ROA15, ROA14, ROA13, ROA12, ROA11, ROA10, ROA9, ROA8, ROA7, ROA6, ROA5, ROA4, ROA3, ROA2,
    ROA1, ROA0,
  output wire ROB17, ROB16, ROB15, ROB14, ROB13, ROB12, ROB11, ROB10, ROB9, ROB8, ROB7, ROB6, ROB5, ROB4, ROB3, ROB2,
    ROB1, ROB0,
  output wire ROC17, ROC16, ROC15, ROC14, ROC13, ROC12, ROC11, ROC10, ROC9, ROC8, ROC7, ROC6, ROC5, ROC4, ROC3, ROC2,
    ROC1, ROC0,
  output wire P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15,
    P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0,
  output wire SIGNEDP
);
  wire [3:0] clocks = {CLK3, CLK2, CLK1, CLK0};
  wire [3:0] enables = {CE3, CE2, CE1, CE0};
  wire [3:0] resets = {RST3, RST2, RST1, RST0};
  // The pin behind a name such as "CE2" is its last digit.
  localparam integer A_CLK = REG_INPUTA_CLK == "CLK3" ? 3 : REG_INPUTA_CLK == "CLK2" ? 2 : REG_INPUTA_CLK == "CLK1" ? 1 : 0;
  localparam integer A_CE = REG_INPUTA_CE == "CE3" ? 3 : REG_INPUTA_CE == "CE2" ? 2 : REG_INPUTA_CE == "CE1" ? 1 : 0;
  localparam integer A_RST = REG_INPUTA_RST == "RST3" ? 3 : REG_INPUTA_RST == "RST2" ? 2 : REG_INPUTA_RST == "RST1" ? 1 : 0;
  localparam integer B_CLK = REG_INPUTB_CLK == "CLK3" ? 3 : REG_INPUTB_CLK == "CLK2" ? 2 : REG_INPUTB_CLK == "CLK1" ? 1 : 0;
  localparam integer B_CE = REG_INPUTB_CE == "CE3" ? 3 : REG_INPUTB_CE == "CE2" ? 2 : REG_INPUTB_CE == "CE1" ? 1 : 0;
  localparam integer B_RST = REG_INPUTB_RST == "RST3" ? 3 : REG_INPUTB_RST == "RST2" ? 2 : REG_INPUTB_RST == "RST1" ? 1 : 0;
  localparam integer M_CLK = REG_PIPELINE_CLK == "CLK3" ? 3 : REG_PIPELINE_CLK == "CLK2" ? 2 : REG_PIPELINE_CLK == "CLK1" ? 1 : 0;
  localparam integer M_CE = REG_PIPELINE_CE == "CE3" ? 3 : REG_PIPELINE_CE == "CE2" ? 2 : REG_PIPELINE_CE == "CE1" ? 1 : 0;
  localparam integer M_RST = REG_PIPELINE_RST == "RST3" ? 3 : REG_PIPELINE_RST == "RST2" ? 2 : REG_PIPELINE_RST == "RST1" ? 1 : 0;
  localparam integer P_CLK = REG_OUTPUT_CLK == "CLK3" ? 3 : REG_OUTPUT_CLK == "CLK2" ? 2 : REG_OUTPUT_CLK == "CLK1" ? 1 : 0;
  localparam integer P_CE = REG_OUTPUT_CE == "CE3" ? 3 : REG_OUTPUT_CE == "CE2" ? 2 : REG_OUTPUT_CE == "CE1" ? 1 : 0;
  localparam integer P_RST = REG_OUTPUT_RST == "RST3" ? 3 : REG_OUTPUT_RST == "RST2" ? 2 : REG_OUTPUT_RST == "RST1" ? 1 : 0;

  wire [18:0] a = {SIGNEDA, A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
  wire [18:0] b = {SIGNEDB, B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};

  reg [18:0] left_held;
  initial left_held = 0;
  always @(posedge clocks[A_CLK])
    if (resets[A_RST]) left_held <= 0;
    else if (enables[A_CE]) left_held <= a;
  wire [18:0] left = REG_INPUTA_CLK == "NONE" ? a : left_held;

  reg [18:0] right_held;
  initial right_held = 0;
  always @(posedge clocks[B_CLK])
    if (resets[B_RST]) right_held <= 0;
    else if (enables[B_CE]) right_held <= b;
  wire [18:0] right = REG_INPUTB_CLK == "NONE" ? b : right_held;

  wire signed [18:0] left_value = {left[18] & left[17], left[17:0]};
  wire signed [18:0] right_value = {right[18] & right[17], right[17:0]};
  wire signed [37:0] full = left_value * right_value;
  wire [36:0] product = {left[18] | right[18], full[35:0]};

  reg [36:0] middle_held;
  initial middle_held = 0;
  always @(posedge clocks[M_CLK])
    if (resets[M_RST]) middle_held <= 0;
    else if (enables[M_CE]) middle_held <= product;
  wire [36:0] middle = REG_PIPELINE_CLK == "NONE" ? product : middle_held;

  reg [36:0] last_held;
  initial last_held = 0;
  always @(posedge clocks[P_CLK])
    if (resets[P_RST]) last_held <= 0;
    else if (enables[P_CE]) last_held <= middle;
  wire [36:0] last = REG_OUTPUT_CLK == "NONE" ? middle : last_held;
     assign {SIGNEDP, P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17,
    P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = last;
  assign {ROA17, ROA16, ROA15, ROA14, ROA13, ROA12, ROA11, ROA10, ROA9, ROA8, ROA7, ROA6, ROA5, ROA4, ROA3, ROA2,
    ROA1, ROA0} = left[17:0];
  assign {ROB17, ROB16, ROB15, ROB14, ROB13, ROB12, ROB11, ROB10, ROB9, ROB8, ROB7, ROB6, ROB5, ROB4, ROB3, ROB2,
    ROB1, ROB0} = right[17:0];
  assign {SROA17, SROA16, SROA15, SROA14, SROA13, SROA12, SROA11, SROA10, SROA9, SROA8, SROA7, SROA6, SROA5, SROA4,
    SROA3, SROA2, SROA1, SROA0} = left[17:0];
  assign {SROB17, SROB16, SROB15, SROB14, SROB13, SROB12, SROB11, SROB10, SROB9, SROB8, SROB7, SROB6, SROB5, SROB4,
    SROB3, SROB2, SROB1, SROB0} = right[17:0];
  assign {ROC17, ROC16, ROC15, ROC14, ROC13, ROC12, ROC11, ROC10, ROC9, ROC8, ROC7, ROC6, ROC5, ROC4, ROC3, ROC2,
    ROC1, ROC0} = {C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0};
endmodule
