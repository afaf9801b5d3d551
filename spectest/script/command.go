package script

// CommandType says what a command does.
type CommandType string

const (
	Module               CommandType = "module"            // load and instantiate File; it becomes the current instance, also known as Name
	ModuleDefinition     CommandType = "module_definition" // compile File as Name
	ModuleInstance       CommandType = "module_instance"   // instantiate the definition Definition as Instance
	Register             CommandType = "register"          // make instance Name importable as As
	DoAction             CommandType = "action"
	AssertReturn         CommandType = "assert_return"
	AssertTrap           CommandType = "assert_trap"
	AssertExhaustion     CommandType = "assert_exhaustion" // the call stack overflows
	AssertException      CommandType = "assert_exception"
	AssertInvalid        CommandType = "assert_invalid"
	AssertMalformed      CommandType = "assert_malformed"
	AssertUnlinkable     CommandType = "assert_unlinkable"
	AssertUninstantiable CommandType = "assert_uninstantiable"
)

// Command is an entry of a script. Which fields it has follows from its type.
type Command struct {
	Type       CommandType `json:"type"`
	Line       int         `json:"line"`
	Name       string      `json:"name"` // of an instance or definition, may be empty: the current one
	As         string      `json:"as"`
	Instance   string      `json:"instance"`
	Definition string      `json:"module"`
	Text       string      `json:"text"` // the reference interpreter's message
	Action     *Action     `json:"action"`
	Expected   []Value     `json:"expected"`

	Filename       string `json:"filename"`
	BinaryFilename string `json:"binary_filename"`
	ModuleType     string `json:"module_type"`
}

// Binary is the name of the binary module that the command is about; "" for
// a command without one, or whose module is text.
func (c *Command) Binary() string {
	if c.ModuleType == "text" {
		return c.BinaryFilename
	}
	return c.Filename
}

// ActionType is Invoke or Get.
type ActionType string

const (
	Invoke ActionType = "invoke" // call the exported function Field
	Get    ActionType = "get"    // read the exported global Field
)

// Action is a call or the reading of a global.
type Action struct {
	Type   ActionType `json:"type"`
	Module string     `json:"module"` // name of an instance, "" for the current one
	Field  string     `json:"field"`
	Args   []Value    `json:"args"`
}
