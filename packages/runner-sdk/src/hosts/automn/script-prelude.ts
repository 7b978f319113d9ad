import { isModule, type Language } from './script-language.js';

/** Bytes of one variable that every system passes on to a program. */
const MAX_VARIABLE_BYTES = 100 * 1024;

/** Variables that a script of Automn reads its input from. */
const INPUT_VARIABLES = ['INPUT_JSON', 'AUTOMN_INPUT_JSON', 'AUTOMN_INTERNAL_INPUT_JSON'] as const;

/** What the input is given as where it fits; the script's own side reads a longer one from its file. */
export function inputVariables(json: string): Record<string, string> {
  if (Buffer.byteLength(json) > MAX_VARIABLE_BYTES) return {};
  return Object.fromEntries(INPUT_VARIABLES.map((name) => [name, json]));
}

/** Where the script itself is written to, beside what Automn's functions are made of: its errors name its own lines. */
const nodeCode = (code: string): string => {
  const name = `automn-script.${isModule(code) ? 'mjs' : 'cjs'}`;
  return `import { writeFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { pathToFileURL } from 'node:url';

const { job } = globalThis;
const show = (value) => (typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? String(value)));
const safely = (what, say) => (...values) => {
  try {
    say(...values);
  } catch (error) {
    console.error('Failed to serialize ' + what + ' data:', error);
  }
};
const now = () => new Date().toISOString();
Object.assign(globalThis, {
  AutomnRunId: process.env.AUTOMN_RUN_ID,
  AutomnReturn: safely('AutomnReturn', (value) => job.return(value)),
  AutomnLog: safely('AutomnLog', (message, level = 'info', context = {}, type = 'general') =>
    job.log.info(String(message ?? ''), { level, context, type, timestamp: now() })),
  AutomnRunLog: safely('AutomnRunLog', (...values) => console.log(values.map(show).join(' '))),
  AutomnNotify: safely('AutomnNotify', (audience, message, level = 'info') =>
    job.notify(String(message ?? ''), String(level).toLowerCase(), String(audience ?? ''))),
});
for (const name of ${JSON.stringify(INPUT_VARIABLES)}) process.env[name] ??= JSON.stringify(job.input);
const file = process.env.JOB_FOLDER + '/${name}';
writeFileSync(file, ${JSON.stringify(code)});
process.argv[1] = file;
if (file.endsWith('.cjs')) Module._load(file, null, true);
else await import(pathToFileURL(file));
`;
};

const pythonCode = (code: string): string => `import datetime, json, os, sys
import job as _job

AUTOMN_RUN_ID = os.environ["AUTOMN_RUN_ID"]

def _automn_safely(what, say):
    try:
        say()
    except Exception as error:
        print("Failed to serialize", what, "data:", error, file=sys.stderr)

def _automn_now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")

def AutomnReturn(data):
    _automn_safely("AutomnReturn", lambda: _job.returns(data))

def AutomnLog(message, level="info", context=None, log_type="general"):
    fields = {"level": level, "context": context, "type": log_type, "timestamp": _automn_now()}
    _automn_safely("AutomnLog", lambda: _job.log(message, "info", fields))

def AutomnNotify(audience, message, level="info"):
    whom = "" if audience is None else str(audience)
    _automn_safely("AutomnNotify", lambda: _job.notify(message, str(level).lower(), whom))

def _automn_show(value):
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, indent=2)
    except Exception:
        return str(value)

def AutomnRunLog(*values):
    print(" ".join(_automn_show(value) for value in values))

for _name in ${JSON.stringify(INPUT_VARIABLES)}:
    os.environ.setdefault(_name, json.dumps(_job.input))
__file__ = os.path.join(os.environ["JOB_FOLDER"], "automn-script.py")
with open(__file__, "w", encoding="utf-8") as _file:
    _file.write(${JSON.stringify(code)})
sys.argv[0] = __file__
with open(__file__, encoding="utf-8") as _file:
    _code = _file.read()
exec(compile(_code, __file__, "exec"), globals())
`;

const inQuotes = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const bashCode = (code: string): string => `_automn_quoted() {
  local text=\${1//\\\\/\\\\\\\\}
  text=\${text//\\"/\\\\\\"}
  text=\${text//$'\\n'/\\\\n}
  text=\${text//$'\\t'/\\\\t}
  text=\${text//$'\\r'/\\\\r}
  printf '"%s"' "\${text//[[:cntrl:]]/ }"
}
_automn_now() { TZ=UTC date +%Y-%m-%dT%H:%M:%SZ; }
AutomnReturn() { job_return "\${1-}"; }
AutomnRunLog() { printf '%s\\n' "$@"; }
AutomnLog() {
  job_log info "\${1-}" "{\\"level\\":$(_automn_quoted "\${2:-info}"),\\"contextJson\\":$(_automn_quoted "\${3-}"),\\"type\\":$(_automn_quoted "\${4:-general}"),\\"timestamp\\":\\"$(_automn_now)\\"}"
}
AutomnNotify() { job_notify "\${2-}" "\${3:-info}" "\${1-}"; }
if [ -z "\${INPUT_JSON+set}" ]; then
  INPUT_JSON=$(<"$JOB_INPUT")
  AUTOMN_INPUT_JSON=$INPUT_JSON AUTOMN_INTERNAL_INPUT_JSON=$INPUT_JSON
fi
printf %s ${inQuotes(code)} > "$JOB_FOLDER/automn-script.sh"
. "$JOB_FOLDER/automn-script.sh"
`;

// Before the script, as Automn's own runner has it: exit codes stay the script's own.
const powershellCode = (code: string): string => `$Global:AutomnRunId = $env:AUTOMN_RUN_ID
if (-not $env:INPUT_JSON) {
  $env:INPUT_JSON = [IO.File]::ReadAllText($env:JOB_INPUT)
  $env:AUTOMN_INPUT_JSON = $env:INPUT_JSON
  $env:AUTOMN_INTERNAL_INPUT_JSON = $env:INPUT_JSON
}
function AutomnGetInternalInputJson { $env:INPUT_JSON }
function AutomnGetInternalInput { Get-JobInput }
function AutomnGetInternalInputError { $null }
function AutomnHasInternalInputError { $false }
function AutomnReturn([Parameter(Position = 0)]$data) { Set-JobResult $data }
function AutomnLog {
  param([Parameter(Mandatory = $true)][string]$Message, [string]$Level = 'info', $Context = $null, [string]$Type = 'general')
  Write-JobLog $Message info @{
    level = $Level; context = $Context; type = $Type; timestamp = [DateTime]::UtcNow.ToString('o')
  }
}
function AutomnRunLog {
  param([Parameter(ValueFromRemainingArguments = $true)][object[]]$Values)
  $shown = foreach ($value in $Values) {
    if ($value -is [string]) { $value } else { ConvertTo-Json -InputObject $value -Depth 32 -Compress }
  }
  Write-Output ($shown -join ' ')
}
function AutomnNotify {
  param([Parameter(Mandatory = $true)]$Audience, [Parameter(Mandatory = $true)]$Message, [string]$Level = 'info')
  Send-JobNotification ([string]$Message) $Level.ToLowerInvariant() ([string]$Audience)
}
${code}
`;

const CODE: Readonly<Record<Language, (code: string) => string>> = {
  node: nodeCode,
  python: pythonCode,
  bash: bashCode,
  powershell: powershellCode,
};

/**
 * A script of Automn as the script capability runs it: `AutomnReturn`, `AutomnLog`, `AutomnRunLog` and `AutomnNotify` are
 * there, and speak on the capability's own channel instead of by marks in the output.
 */
export const withPrelude = (language: Language, code: string): string => CODE[language](code);
