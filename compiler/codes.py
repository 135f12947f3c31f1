"""The codes of diagnostics: what each one means and what can be done. ``docs/errors.md`` is printed from here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A kind of error: its title, when it arises, and the way out."""

    title: str
    cause: str
    remedy: str


FAMILIES = {
    "P": "Reading text: IR, rules, types",
    "F": "Frontends: reading a model",
    "T": "Types: operands that don't fit an operation",
    "V": "The verifier: IR that is not well-formed",
    "L": "The command line, pipelines and layouts",
    "W": "Rewriting",
    "M": "Limits: what a model may cost",
    "B": "Backends: what a target can't run",
    "Q": "Quantization",
    "R": "Running, reading and writing files",
    "I": "Internal: a defect of nhwcc; please report it",
}

CODES = {
    "P001": Code(
        "syntax error", "The text does not follow the grammar.", "The message says where, and what could stand there."
    ),
    "P002": Code("defined twice", "Two operations give their results the same name.", "Rename one of them."),
    "P003": Code(
        "not defined", "An operand has a name that no earlier operation gives.", "Define it above its first use."
    ),
    "P004": Code(
        "unknown operation",
        "No operation is declared under this name.",
        "docs/ir.md lists them; --op-library brings your own.",
    ),
    "P005": Code(
        "stated type differs", "A stated type is not what inference finds.", "Correct the type, or the operands."
    ),
    "P006": Code(
        "bad fields", "Operands or attributes don't fit the declaration.", "docs/ir.md shows each operation's fields."
    ),
    "P007": Code(
        "not a dimension", "A size is neither a number nor an expression of names.", "Use +, -, *, //, %, min and max."
    ),
    "P008": Code(
        "missing weight",
        "A constant's elements are in no side file.",
        "Keep side files beside the text; elided texts can't be read back.",
    ),
    "P009": Code(
        "unknown helper",
        "A rule calls a function that nobody registered.",
        "Register it with @helper and --load its file.",
    ),
    "P010": Code(
        "not an element type",
        "A type names elements that don't exist.",
        "The message lists those that do.",
    ),
    "F001": Code(
        "operator not supported",
        "The model has an operator, or calls a function, that nhwcc does not know at this version.",
        "Cut it off with --inputs and --outputs, declare it with --op-library, or carry it with --allow-custom-ops "
        "(docs/custom-ops.md); docs/support.md lists what is read.",
    ),
    "F002": Code(
        "bad attribute",
        "An attribute is unknown, missing, of the wrong kind, or has a value that the operator can't have.",
        "The message names it; often the exporter and the stated operator set version disagree.",
    ),
    "F003": Code(
        "element type not supported",
        "A tensor has elements of a type that the IR does not have, or an input holds texts.",
        "Convert the model to a supported type, or cut that part off.",
    ),
    "F004": Code(
        "must be known while compiling",
        "An operand decides about shapes, but it is computed from data or depends on open sizes.",
        "Make it a constant, or fix the input shapes that it is computed from with --shape.",
    ),
    "F005": Code(
        "variant not supported",
        "The operator is supported, but not with these attributes or outputs.",
        "The message names the variant; export the model without it.",
    ),
    "F006": Code(
        "bad operands",
        "An operand is missing, superfluous, or not what the operator takes.",
        "The message names it; the model is damaged, or states a wrong operator set version.",
    ),
    "F010": Code(
        "not an ONNX model",
        "A file is empty, truncated or of another format.",
        "Download or export it again.",
    ),
    "F011": Code("no graph", "A file can be parsed, but holds no graph.", "Export the model again."),
    "F012": Code(
        "operator set not supported",
        "The model states no version of the ONNX operator set, or one that is too old or too new; or it is IR of "
        "OpenVINO of another version than 10 and 11.",
        "Convert it with onnx.version_converter, or install a newer onnx package; export it with a newer OpenVINO.",
    ),
    "F013": Code("cycle", "Nodes read each other in a circle.", "The model is damaged; export it again."),
    "F014": Code(
        "no origin",
        "A node or an output reads a tensor that nothing defines.",
        "The model is damaged, or was cut at the wrong place.",
    ),
    "F015": Code(
        "two origins",
        "A tensor is defined twice.",
        "The model is damaged; every name may be defined once only.",
    ),
    "F016": Code(
        "damaged tensor",
        "The stored elements of a tensor don't fit its stated type.",
        "Export the model again.",
    ),
    "F017": Code(
        "missing external data",
        "The file that holds a tensor's elements is missing, too short, or outside of the model's folder.",
        "Put it beside the model under the name in the message.",
    ),
    "F018": Code(
        "no such tensor",
        "A name given for inputs, outputs or shapes is not in the model, or a cut leaves out a needed input.",
        "nhwcc inspect lists inputs and outputs.",
    ),
    "F019": Code(
        "given shape does not fit",
        "A shape given for an input has another number of axes, an impossible size, or another element type.",
        "Give one number or name per axis, as 1,3,height,width; for a PyTorch module with its element type: i64:1,16.",
    ),
    "F020": Code(
        "input type not known",
        "An input is not a tensor, or the model states neither its element type nor its number of axes.",
        "Give its shape with --shape, or cut the model at a tensor whose type is stated.",
    ),
    "F021": Code("recursive function", "A function of the model calls itself.", "The model is damaged."),
    "F022": Code(
        "subgraph not imported",
        "A branch or loop body has problems of its own, which are reported beside this one.",
        "Look at the other messages.",
    ),
    "F023": Code(
        "custom operator of unknown type",
        "A model's operator is to be carried as a custom one, but the model does not state the type of its result.",
        "Add the result to the graph's value_info, or declare the operator with --op-library; docs/custom-ops.md.",
    ),
    "F030": Code(
        "torch.export fails",
        "PyTorch can't make a graph of the module with these inputs.",
        "The message is PyTorch's own; the module itself, its inputs or the sizes that are left open must change.",
    ),
    "F031": Code(
        "the model changes itself",
        "Running the module writes to its buffers, as batch normalisation does in training.",
        'Call .eval() before; state="io" (--state io) makes states inputs and outputs, which their user feeds back.',
    ),
    "F032": Code(
        "an output is not a tensor",
        "The module returns something that is neither a tensor nor a size.",
        "Return tensors, or containers of them.",
    ),
    "F033": Code(
        "import went wrong",
        "An operation has another type than PyTorch says.",
        "This is a defect; please report it with the operator's arguments.",
    ),
    "F034": Code(
        "a tensor without elements",
        "A weight lies on the meta device or in a layout that has no plain elements.",
        "Load the weights as plain tensors on the CPU.",
    ),
    "F035": Code(
        "weights without a network",
        "A file holds tensors by name, but nothing that says what to compute with them.",
        "Name the class with --module package.module:Class and give the file with --weights.",
    ),
    "F036": Code(
        "the module can't be made",
        "The class or function named by --module can't be imported or called.",
        "The message is Python's own; --python-path says where modules are, --args what the class is called with.",
    ),
    "F037": Code(
        "weights don't fit",
        "The names or shapes of the weights in a file are not those of the network.",
        "The message names some; often the network was made with other arguments.",
    ),
    "F038": Code(
        "code in a file",
        "PyTorch or Keras would run code that is in the file: pickled objects, expressions that it evaluates, "
        "functions, calls of what is no operator.",
        "Say --unsafe-load if you trust it; better save model.state_dict() or an exported program.",
    ),
    "T001": Code(
        "types don't fit",
        "The operands' types are impossible for the operation.",
        "Look at the types in the notes; often a declared input shape is wrong.",
    ),
    "T002": Code(
        "elements don't fit",
        "An operand holds elements that the operation can't take, such as a position outside of an axis.",
        "The message names it; the model is damaged, or its inputs are not what it was made for.",
    ),
    "T003": Code(
        "sizes contradict",
        "Operations demand of the named sizes of the inputs what can't hold at once.",
        "The message names both places; often a declared shape is wrong, and --shape gives another.",
    ),
    "V001": Code("terminator", "A region does not end in its only return.", "End every region with return(...)."),
    "V002": Code(
        "wrong parent",
        "An operation is linked into a region that is not its own.",
        "Insert operations with Region.insert only.",
    ),
    "V003": Code(
        "use before definition",
        "An operand is defined later, or in a region that is not around the use.",
        "Move the definition up.",
    ),
    "V004": Code("use lists", "A value does not know its uses.", "Change edges with Op.set_operand only."),
    "V005": Code(
        "stale type",
        "A result's type is not what its operation infers.",
        "Rebuild the operation instead of changing its operands' types.",
    ),
    "V006": Code("verification failed", "An operation's own check fails.", "The message says which."),
    "V007": Code(
        "interface",
        "A function's described inputs or outputs don't match its arguments or returns.",
        "Describe each exactly once.",
    ),
    "L001": Code("malformed pipeline", "A pipeline is not a list of passes.", "Write 'a,b{option=value},c'."),
    "L002": Code("unknown pass", "No pass has this name.", "nhwcc passes lists them; --load brings your own."),
    "L003": Code("unknown option", "The pass has no such option.", "nhwcc passes NAME shows its options."),
    "L004": Code(
        "bad option",
        "An option's value is missing or of the wrong kind.",
        "nhwcc passes NAME shows the options of a pass; the message says what else there is.",
    ),
    "L005": Code(
        "layout does not fit",
        "A word that is asked for is not a layout, or names another number of axes than the tensor has.",
        "The message lists what there is: keep, nhwc, nchw, nwc, ..., or axis numbers as 0/2/1.",
    ),
    "L006": Code(
        "unknown input or output",
        "An option names an input or output that the model does not have.",
        "nhwcc inspect lists them.",
    ),
    "L007": Code(
        "an option does not apply",
        "An option asks for what this format or pipeline can't do.",
        "The message says why; leave the option out.",
    ),
    "L008": Code("unknown target", "There is no backend of this name.", "nhwcc compile --help shows the default."),
    "L009": Code(
        "names don't fit",
        "There are more or fewer new names than inputs or outputs, or two of them would have the same one.",
        "Give each exactly one name: --rename OLD=NEW, or --input-names and --output-names in their order.",
    ),
    "L010": Code(
        "your code fails",
        "A file given with --op-library declares what can't be, or what it declares raises an exception.",
        "The message names the line; docs/custom-ops.md and docs/writing-passes.md say what may be declared.",
    ),
    "L011": Code(
        "the command line is not understood",
        "A command or an option does not exist, lacks a value, or has one that it can't have.",
        "The message says what was probably meant; nhwcc COMMAND --help lists the options.",
    ),
    "L012": Code(
        "no such version of the target",
        "The format has no such version, none that can be written, or no versions at all.",
        "The message says which there are; without --opset the lowest one is taken that keeps operations whole.",
    ),
    "L013": Code(
        "no device",
        "Where operators run is known of devices only.",
        "Choose one with --target: nhwcc check --help lists them.",
    ),
    "L014": Code(
        "the list of a zoo can't be",
        "A file that nhwcc zoo reads is not TOML, or says something of a model that nobody understands.",
        "The message says what; docs/zoo.md describes the file.",
    ),
    "W001": Code(
        "rewriting does not end",
        "Patterns undo each other.",
        "The message names the last one; --disable-pass leaves it out.",
    ),
    "M001": Code(
        "too large",
        "A tensor would have more than 2,147,483,647 elements, or take more memory than the budget allows.",
        "Look for a size that is not meant; smaller inputs (--shape) take less, --max-memory allows more bytes.",
    ),
    "M002": Code(
        "constants grow",
        "Constants that the model does not hold but computes, such as windows or repeated values, take too much.",
        "Look for a size that is not meant; --max-growth allows more.",
    ),
    "M003": Code(
        "takes too long",
        "Verification runs longer than the budget allows, or a loop has so many iterations that it would.",
        "Give it more time with --max-seconds, or smaller inputs; --no-verify does without.",
    ),
    "M004": Code(
        "too many operations",
        "Functions, loops or one operation become more operations than can be compiled.",
        "Fewer iterations, or a loop that is not written out (--rnn while); --max-memory allows more.",
    ),
    "M005": Code(
        "nested too deeply",
        "Graphs, functions, regions or terms lie inside of each other, too many times.",
        "Flatten them.",
    ),
    "M006": Code(
        "an archive expands too much",
        "A compressed file is far larger when it is expanded.",
        "If that is meant, raise the limits: --max-growth and --max-memory.",
    ),
    "M007": Code(
        "a run takes too much memory",
        "The tensors that a run of the network holds at a time take more memory than the budget allows.",
        "Smaller inputs (--shape, --data) take less, --no-verify none; --max-memory allows more.",
    ),
    "B001": Code(
        "the target can't run this",
        "No builtin of the target and no decomposition fits the operation with its types and attributes.",
        "The message says what is in the way of each; docs/support.md lists what runs.",
    ),
    "B002": Code(
        "a size is unknown when the network runs",
        "A shape depends on a named size that neither an input's nor a computed tensor's shape tells.",
        "Give the size a number when compiling, or declare an input whose shape has the name as a size.",
    ),
    "B003": Code(
        "the target can't store this",
        "A tensor has an element type that the target's files don't have.",
        "Convert it to another type in the model.",
    ),
    "B004": Code(
        "no form for an attribute",
        "An attribute of a custom operator holds what its kernel can't be told, such as a size that stays open.",
        "Give it a number; docs/custom-ops.md says what kernels are told.",
    ),
    "B005": Code(
        "too large for the format",
        "A file of the target has less room than the network's weights need.",
        "Write a format that keeps weights in other files, or cut the model in parts with --inputs and --outputs.",
    ),
    "B006": Code(
        "less on the device than required",
        "A device does not run as many of the network's operators as is required.",
        "The message says what is in the way of each; nhwcc check --ops lists all operators.",
    ),
    "B007": Code(
        "a device of integers",
        "The device computes with integers only, and the network has floats that nobody quantizes.",
        "Quantize (--quantize int8 --data SAMPLES), or give a model that brings its scales.",
    ),
    "Q001": Code(
        "no calibration",
        "Integers need the ranges of values, which calibration finds.",
        "Give data (--data), or what nhwcc calibrate wrote (--calibration).",
    ),
    "Q002": Code(
        "another model's calibration",
        "Statistics were taken of another model, or of the same one compiled with other options.",
        "Calibrate again with the options of the compilation.",
    ),
    "Q003": Code(
        "target without integers",
        "Post-training quantization knows no kernels on integers of this target.",
        "Write a .tflite file; a model that brings its scales keeps them.",
    ),
    "Q004": Code(
        "too much is lost",
        "What is quantized is further from the network in floats than is allowed.",
        "Calibrate on real data, keep more in floats (--keep-float), choose another mode, or lower --min-sqnr.",
    ),
    "Q005": Code(
        "an output would lose a part",
        "An output joins parts of very different ranges, such as boxes and scores, and is to be stored as integers in "
        "one scale: the small part would have no digits left.",
        "Give every part an output of its own (--split-outputs), or leave this one in floats: --io-dtype NAME=float32.",
    ),
    "R001": Code(
        "no reference semantics",
        "An operation can't be run by the reference interpreter.",
        "It can be compiled all the same: verify against the source's runtime, or give it an evaluate; "
        "docs/custom-ops.md shows how.",
    ),
    "R002": Code(
        "input does not fit",
        "A given array has another shape or element type than the input.",
        "The message shows both.",
    ),
    "R003": Code(
        "result does not fit", "A result's shape contradicts inference.", "This is a defect; please report it."
    ),
    "R010": Code("can't read", "A file is missing, unreadable or not what it should be.", "The message says why."),
    "R011": Code("can't store", "A weight's element type has no form in a side file.", "Convert it first."),
    "R012": Code(
        "can't write",
        "The target folder is missing or read-only, or the disk is full.",
        "The message says why. Nothing was overwritten.",
    ),
    "R013": Code(
        "the runtime refuses the file",
        "The TFLite runtime can't load or run a file.",
        "The message is the runtime's own; for a file that nhwcc wrote, please report it.",
    ),
    "R014": Code(
        "unknown format",
        "Neither the content nor the name of a file is that of a model.",
        "Give an ONNX model or a file of nhwcc's IR.",
    ),
    "R015": Code(
        "format not supported",
        "A file is of a format that nhwcc recognises but does not read.",
        "Export the model to ONNX first; the message says how.",
    ),
    "R016": Code(
        "would overwrite the model",
        "The output is the model's own file, or one that holds its weights, maybe through a link.",
        "Choose another output.",
    ),
    "R017": Code(
        "can't be done here",
        "A library is missing, or no sizes for the inputs can be found.",
        "The message says what to install, or what to give.",
    ),
    "R018": Code(
        "the source's runtime refuses",
        "The runtime of the source, onnxruntime, can't load or run the model as it was given.",
        "The message is the runtime's own. --data and --shape choose other inputs, --no-verify does without.",
    ),
    "R019": Code(
        "the runtime ended its process",
        "A kernel of the target's runtime aborted instead of reporting an error.",
        "For a file that nhwcc wrote, please report it with the model; nothing was overwritten.",
    ),
    "R020": Code(
        "numbers differ",
        "The result computes something else than the source, beyond the tolerance.",
        "Nothing was written. --check-each finds the pass, --no-verify writes the file nevertheless; please report it.",
    ),
    "R021": Code(
        "a pass changed numbers",
        "The reference interpreter gets other results after a pass than before.",
        "The message names the pass, its rules and the operation; please report it, or --disable-pass it.",
    ),
    "R022": Code(
        "other inputs or outputs",
        "Two files that are to be compared don't have the same inputs and outputs.",
        "nhwcc inspect shows those of each.",
    ),
    "R023": Code(
        "no kernel for a custom operator",
        "The TFLite runtime of this machine can't run a file: it calls an operator whose kernel an application brings.",
        "Run the file there. nhwcc compiles such models without verifying them, and says so.",
    ),
    "R024": Code(
        "not enough memory",
        "Something needs more memory than the machine gives.",
        "Look for a size that is not meant; smaller inputs (--shape), or --no-verify, take less.",
    ),
    "R025": Code(
        "nothing is proven",
        "Results agree, but would do so, too, if something else was computed: they are constant, saturated, NaN, or so "
        "sensitive that the source is as far from itself.",
        "Give data for which the network computes something (--data), or accept it (--accept-unproven). The file is "
        "written.",
    ),
    "R026": Code(
        "no fault to reduce",
        "nhwcc reduce was asked to keep a fault that the whole network does not show.",
        "Give the options with which nhwcc compile fails, or a command (--while) that tells the fault.",
    ),
    "R027": Code(
        "no scheduler",
        "nhwcc zoo was asked to run on a cluster whose scheduler does not answer.",
        "Start one (dask scheduler, dask worker), or leave --scheduler out to run on this machine.",
    ),
    "R028": Code(
        "no runtime on this system",
        "A file of the target runs on another system only, as packages of Core ML do on Apple's.",
        "Compile there to compare numbers. Elsewhere the program in such a file is checked, and the report says so.",
    ),
    "I000": Code(
        "defect",
        "Something happened that nobody foresaw.",
        "Please report it with what --backtrace prints, and the model or its --dump-ir.",
    ),
    "I001": Code(
        "erased while used",
        "A pass erased an operation that is still used.",
        "Please report it with the model, or nhwcc compile --dump-ir.",
    ),
    "I002": Code("no terminator", "A region without return was run.", "Please report it."),
    "I003": Code(
        "replaced by another type", "A rule gave a value another type.", "Please report it with the rule's name."
    ),
    "I004": Code(
        "relayout failed",
        "An operation in another order has another type than it should.",
        "Please report it; --disable-pass propagate-layout gets around it.",
    ),
    "I006": Code(
        "no relayout",
        "Elements have to change their order in a way that no transposes do.",
        "Please report it; --disable-pass propagate-layout gets around it.",
    ),
    "I007": Code(
        "scales that the format forbids",
        "A file would hold integers whose scales break a rule of a builtin; runtimes compute wrong numbers from it.",
        "Please report it with the model.",
    ),
}
"""All codes, in the order of the page."""
