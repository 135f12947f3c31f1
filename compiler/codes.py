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
        "syntax error", "The text does not follow the grammar.", "The message says where, and what is expected there."
    ),
    "P002": Code("defined twice", "Two operations give their results the same name.", "Rename one of them."),
    "P003": Code(
        "not defined", "An operand is a value that no earlier operation defines.", "Define it above its first use."
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
        "Keep side files beside the text; text from which weights were left out can't be read.",
    ),
    "P009": Code(
        "unknown helper",
        "A rule calls a function that is not registered.",
        "Register it with @helper and --load its file.",
    ),
    "P010": Code(
        "not an element type",
        "A type names elements that don't exist.",
        "The message lists those that do.",
    ),
    "P011": Code(
        "too many orders to match",
        "The left side of a rule has so many commutative operations that trying "
        "all orders of their operands takes too long.",
        "Make several rules of it, each of which leaves a part of the network that the next one matches.",
    ),
    "F001": Code(
        "operator not supported",
        "The model has an operator, or calls a function, that nhwcc does not know at this version.",
        "Cut it off with --inputs and --outputs, declare it with --op-library, or keep it as a custom "
        "operator with --allow-custom-ops (docs/custom-ops.md); docs/support.md lists what is read.",
    ),
    "F002": Code(
        "bad attribute",
        "An attribute is unknown, missing, of the wrong kind, or has a value that the operator can't have.",
        "The message names it; often the exporter and the stated operator set version disagree.",
    ),
    "F003": Code(
        "element type not supported",
        "A tensor has elements of a type that the IR does not have, or an input holds strings.",
        "Convert the model to a supported type, or cut that part off.",
    ),
    "F004": Code(
        "must be constant when compiling",
        "An operand determines a shape, but it is computed from data or depends on open sizes.",
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
        "undefined tensor",
        "A node or an output reads a tensor that nothing defines.",
        "The model is damaged, or was cut at the wrong place.",
    ),
    "F015": Code(
        "tensor defined twice",
        "Two nodes, or a node and an input, define a tensor of the same name.",
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
        "A branch or loop body has problems of its own, which are reported, too.",
        "Look at the other messages.",
    ),
    "F023": Code(
        "custom operator of unknown type",
        "An operator is to be kept as a custom one, but the model does not state the type of its result.",
        "Add the result to the graph's value_info, or declare the operator with --op-library; docs/custom-ops.md.",
    ),
    "F030": Code(
        "torch.export fails",
        "PyTorch's torch.export can't trace the module with these inputs.",
        "The message is PyTorch's own; change the module, its inputs or the sizes that stay open.",
    ),
    "F031": Code(
        "the module writes to its buffers",
        "Running the module writes to its buffers, as batch normalisation does in training.",
        'Call .eval() before; or state="io" (--state io) makes inputs and outputs of the buffers, to be '
        "fed back by the application.",
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
        "weights without a model",
        "A file holds tensors by name (a state dict), but not the network that uses them.",
        "Name the class with --module package.module:Class and give the file with --weights.",
    ),
    "F036": Code(
        "the module can't be constructed",
        "The class or function named by --module can't be imported or called.",
        "The message is Python's own; --python-path says where modules are, --args what the class is called with.",
    ),
    "F037": Code(
        "weights don't fit",
        "The names or shapes of the weights in a file are not those of the network.",
        "The message names some; often the network was made with other arguments.",
    ),
    "F038": Code(
        "the file contains code",
        "Reading the file would run code that it contains: pickled objects, expressions, functions, or "
        "calls of something that is not an operator.",
        "Use --unsafe-load if you trust the file. It is better to save model.state_dict() or an exported program.",
    ),
    "T001": Code(
        "types don't fit",
        "The operation is not defined for operands of these types or shapes.",
        "Look at the types in the notes; often a declared input shape is wrong.",
    ),
    "T002": Code(
        "elements don't fit",
        "An operand holds elements that the operation can't take, such as a position outside of an axis.",
        "The message names it; the model is damaged, or its inputs are not what it was made for.",
    ),
    "T003": Code(
        "sizes contradict",
        "Operations require equations between named sizes that can't hold together.",
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
        "Describe each input and output exactly once.",
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
        "A layout that was given is not known, or has another number of axes than the tensor.",
        "The message lists what there is: keep, nhwc, nchw, nwc, ..., or axis numbers as 0/2/1.",
    ),
    "L006": Code(
        "unknown input or output",
        "An option names an input or output that the model does not have.",
        "nhwcc inspect lists them.",
    ),
    "L007": Code(
        "an option does not apply",
        "An option asks for something that this format or pipeline can't do.",
        "The message says why; leave the option out.",
    ),
    "L008": Code("unknown target", "There is no backend of this name.", "nhwcc compile --help shows the default."),
    "L009": Code(
        "names don't fit",
        "There are more or fewer new names than inputs or outputs, or two of them would have the same one.",
        "Give each exactly one name: --rename OLD=NEW, or --input-names and --output-names in their order.",
    ),
    "L010": Code(
        "a loaded file fails",
        "A file given with --op-library or --load makes an invalid declaration, or its code raises an exception.",
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
        "no device was given",
        "nhwcc check needs a target that is a device.",
        "Choose one with --target: nhwcc check --help lists them.",
    ),
    "L014": Code(
        "invalid manifest of a zoo",
        "The manifest is not TOML, or has a key or a value that is not known.",
        "The message says which; docs/zoo.md describes the file.",
    ),
    "W001": Code(
        "rewriting does not terminate",
        "Patterns keep undoing each other's rewrites.",
        "The message names the last one; --disable-pass leaves it out.",
    ),
    "M001": Code(
        "too large",
        "A tensor would have more than 2,147,483,647 elements, or take more memory than --max-memory allows.",
        "Look for a size that is not meant; smaller inputs (--shape) take less, --max-memory allows more bytes.",
    ),
    "M002": Code(
        "computed constants are too large",
        "Constants that are not stored in the model but computed from it, such as repeated values, take "
        "too much memory.",
        "Look for a size that is not meant; --max-growth allows more.",
    ),
    "M003": Code(
        "takes too long",
        "Verification takes longer than --max-seconds, or a loop has so many iterations that it would.",
        "Give it more time with --max-seconds, or smaller inputs; --no-verify does without.",
    ),
    "M004": Code(
        "too many operations",
        "Unrolled loops, inlined functions or one decomposed operation give more operations than --max-memory allows.",
        "Use fewer iterations, or keep the loop (--rnn while); --max-memory allows more.",
    ),
    "M005": Code(
        "nested too deeply",
        "Graphs, functions, regions or expressions are nested too deeply.",
        "Flatten them.",
    ),
    "M006": Code(
        "an archive expands too much",
        "A compressed file is far larger when it is expanded.",
        "If that is meant, raise the limits: --max-growth and --max-memory.",
    ),
    "M007": Code(
        "a run takes too much memory",
        "The tensors that are alive at the same time in a run of the network take more memory than "
        "--max-memory allows.",
        "Smaller inputs (--shape, --data) take less, --no-verify none; --max-memory allows more.",
    ),
    "B001": Code(
        "the target can't run this",
        "The target has no kernel for the operation with these types and attributes, and no decomposition applies.",
        "The message says why each one does not apply; docs/support.md lists what runs.",
    ),
    "B002": Code(
        "a size can't be computed at run time",
        "A shape depends on a named size that is not the size of any input or computed tensor.",
        "Give the size a number when compiling, or declare an input whose shape has the name as a size.",
    ),
    "B003": Code(
        "the target can't store this",
        "A tensor has an element type that the target's files don't have.",
        "Convert it to another type in the model.",
    ),
    "B004": Code(
        "attribute can't be stored",
        "An attribute of a custom operator has a value that the file can't hold, such as a size that stays open.",
        "Give it a number; docs/custom-ops.md says what attributes may hold.",
    ),
    "B005": Code(
        "too large for the format",
        "The weights are larger than a file of the target can be.",
        "Write a format that keeps weights in other files, or cut the model in parts with --inputs and --outputs.",
    ),
    "B006": Code(
        "smaller share on the device than required",
        "The device runs a smaller share of the operators than --require says.",
        "The message says why operators do not run there; nhwcc check --ops lists all of them.",
    ),
    "B007": Code(
        "the device computes with integers only",
        "The network computes with floats and is not quantized, but the device has integer kernels only.",
        "Quantize (--quantize int8 --data SAMPLES), or compile a model that is already quantized.",
    ),
    "Q001": Code(
        "no calibration data",
        "Quantization needs the range of every tensor, which is measured on samples.",
        "Give samples (--data), or statistics of nhwcc calibrate (--calibration).",
    ),
    "Q002": Code(
        "another model's calibration",
        "The statistics are of another model, or of this one with other options.",
        "Calibrate again with the options of the compilation.",
    ),
    "Q003": Code(
        "no quantization for this target",
        "Post-training quantization does not support this target.",
        "Write a .tflite file; a model that is already quantized keeps its scales.",
    ),
    "Q004": Code(
        "quantization loses too much",
        "The outputs of the quantized network differ from those in floats by more than is allowed.",
        "Calibrate on real data, keep more operations in floats (--keep-float), choose another mode, or "
        "lower --min-sqnr.",
    ),
    "Q005": Code(
        "an output would lose a part",
        "An output joins parts of very different ranges, such as boxes and scores, and is to be stored as integers in "
        "one scale: the small part would have no digits left.",
        "Give every part an output of its own (--split-outputs), or leave this one in floats: --io-dtype NAME=float32.",
    ),
    "Q006": Code(
        "nothing to keep in floats",
        "A pattern of operations to keep in floats (--keep-float) matches none in the network.",
        "Patterns match the kinds of operations in the compiled network, the names of their results, and the "
        "names of the source's nodes; * matches anything.",
    ),
    "Q007": Code(
        "integers without a scale",
        "An input is asked for as integers, but the network only moves it to outputs of the same integers: no "
        "operation reads or writes them as numbers, so that the file could not say what they stand for.",
        "Leave it in floats (--io-dtype NAME=float32), or give the source integers, which are moved as they are.",
    ),
    "R001": Code(
        "no reference implementation",
        "An operation can't be run by the reference interpreter.",
        "It can be compiled nevertheless: verify against the source's runtime, or declare the operation "
        "with evaluate; docs/custom-ops.md shows how.",
    ),
    "R002": Code(
        "input does not fit",
        "A given array has another shape or element type than the input, or holds NaN.",
        "The message shows what is wrong.",
    ),
    "R003": Code(
        "result contradicts inference",
        "A computed result has another shape than was inferred for it.",
        "This is a defect; please report it.",
    ),
    "R010": Code(
        "file can't be read", "A file is missing, unreadable or not what it should be.", "The message says why."
    ),
    "R011": Code(
        "element type can't be stored",
        "A weight has an element type that side files can't hold.",
        "Convert it to another type first.",
    ),
    "R012": Code(
        "file can't be written",
        "The target folder is missing or read-only, or the disk is full.",
        "The message says why. Nothing was overwritten.",
    ),
    "R013": Code(
        "the runtime refuses the file",
        "The target's runtime can't load or run a file.",
        "The message is the runtime's own; for a file that nhwcc wrote, please report it.",
    ),
    "R014": Code(
        "unknown format",
        "Neither the content nor the name of a file is that of a model.",
        "Give a file of one of the formats in docs/support.md; export the model again if it should be one.",
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
        "something is missing here",
        "A library is missing, or no sizes for the inputs can be found.",
        "The message says what to install, or what to give.",
    ),
    "R018": Code(
        "the source's runtime refuses",
        "The source's own runtime, such as onnxruntime, can't load or run the model.",
        "The message is the runtime's own. Try other inputs (--data, --shape), or compile without "
        "comparing (--no-verify).",
    ),
    "R019": Code(
        "the runtime crashed",
        "A runtime aborted instead of reporting an error: a kernel of the target, or the library that reads "
        "and runs the source, given a damaged file.",
        "For a file that nhwcc wrote, please report it with the model; nothing was overwritten.",
    ),
    "R020": Code(
        "numbers differ",
        "The compiled file gives other numbers than the source, by more than the tolerance.",
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
        "The runtime of this machine can't run a file: it calls an operator whose kernel an application brings.",
        "Run the file there. nhwcc compiles such models without verifying them, and says so.",
    ),
    "R024": Code(
        "not enough memory",
        "Something needs more memory than the machine gives.",
        "Look for a size that is not meant; smaller inputs (--shape), or --no-verify, take less.",
    ),
    "R025": Code(
        "agreement proves nothing",
        "The numbers agree, but they would also agree if something else were computed: they are constant, "
        "saturated, NaN, or so sensitive to rounding that the source differs from itself as much.",
        "The file is written. Give real data (--data), or accept it (--accept-unproven).",
    ),
    "R026": Code(
        "the model shows no fault",
        "nhwcc reduce is to keep a fault that the whole model does not show.",
        "Give the options with which nhwcc compile fails, or a command (--while) that shows the fault.",
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
        "An exception was raised that nhwcc does not expect.",
        "Please report it with what --backtrace prints, and the model or its --dump-ir.",
    ),
    "I001": Code(
        "erased while used",
        "A pass erased an operation that is still used.",
        "Please report it with the model, or nhwcc compile --dump-ir.",
    ),
    "I002": Code("no terminator", "A region without return was run.", "Please report it."),
    "I003": Code(
        "replaced by another type",
        "A rule replaced a value by one of another type.",
        "Please report it with the rule's name.",
    ),
    "I004": Code(
        "layout change failed",
        "An operation has another type than expected after its layout was changed.",
        "Please report it; --disable-pass propagate-layout avoids it.",
    ),
    "I006": Code(
        "layout change impossible",
        "A layout was chosen that no sequence of transposes can produce.",
        "Please report it; --disable-pass propagate-layout avoids it.",
    ),
    "I007": Code(
        "scales that the format forbids",
        "A file would hold integers whose scales break a rule of a builtin; runtimes compute wrong numbers from it.",
        "Please report it with the model.",
    ),
}
"""All codes, in the order of the page."""
