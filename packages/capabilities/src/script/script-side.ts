import type { ScriptLanguage } from './script-languages.js';

/** What a script finds in its language to speak on descriptor 3, as a file beside it. */
export interface ScriptSide {
  /** Name of the file with the script. */
  readonly script: string;
  readonly helper: string;
  readonly helperCode: string;
}

const NODE = `import { readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';

function say(word, ...texts) {
  const line = Buffer.from([word, ...texts.map((text) => Buffer.from(String(text)).toString('base64'))].join(' ') + '\\n');
  for (let sent = 0; sent < line.length; ) sent += writeSync(3, line, sent);
}
const more = (fields) => (fields === undefined ? [] : [JSON.stringify(fields)]);
const log = (level) => (message, fields) => say('log', level, message, ...more(fields));
globalThis.job = Object.freeze({
  input: JSON.parse(readFileSync(process.env.JOB_INPUT, 'utf8')),
  return: (value) => say('return', JSON.stringify(value) ?? 'null'),
  log: Object.freeze({ debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }),
  progress: (fraction, message = '') => say('progress', fraction, message),
  notify: (message, level = 'info', audience = '') => say('notify', level, message, audience),
});
globalThis.require = createRequire(process.env.JOB_FOLDER + '/script.mjs');
`;

const PYTHON = `import base64, json, os

def _say(word, *texts):
    encoded = [base64.b64encode(str(text).encode()).decode() for text in texts]
    line = (" ".join([word, *encoded]) + "\\n").encode()
    while line:
        line = line[os.write(3, line):]

with open(os.environ["JOB_INPUT"], encoding="utf-8") as file:
    input = json.load(file)

def returns(value):
    _say("return", json.dumps(value))

def _more(fields):
    return [] if fields is None else [json.dumps(fields)]

def log(message, level="info", fields=None):
    _say("log", level, message, *_more(fields))

def progress(fraction, message=""):
    _say("progress", fraction, message)

def notify(message, level="info", audience=""):
    _say("notify", level, message, audience)
`;

const BASH = `_job_say() {
  local line="$1" text
  shift
  for text in "$@"; do line+=" $(printf %s "$text" | base64 | tr -d '\\n')"; done
  printf '%s\\n' "$line" >&3
}
job_return() { _job_say return "$1"; }
job_log() { if (($# > 1)); then _job_say log "$@"; else _job_say log info "$1"; fi; }
job_progress() { _job_say progress "$1" "\${2:-}"; }
job_notify() { _job_say notify "\${2:-info}" "$1" "\${3:-}"; }
`;

// A module, not a text around the script: `param()`, `exit` and the exit code stay the script's own.
const POWERSHELL = `Set-StrictMode -Version 3.0
$handle = [Microsoft.Win32.SafeHandles.SafeFileHandle]::new([IntPtr]3, $false)
$channel = [IO.FileStream]::new($handle, [IO.FileAccess]::Write, 1)

function Send-Line([string]$Word, [string[]]$Texts) {
  $encoded = foreach ($text in $Texts) { [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($text)) }
  $bytes = [Text.Encoding]::ASCII.GetBytes(((@($Word) + @($encoded)) -join ' ') + [char]10)
  $channel.Write($bytes, 0, $bytes.Length)
  $channel.Flush()
}
function Get-JobInput {
  $read = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($env:JOB_INPUT)) -NoEnumerate
  Write-Output -InputObject $read -NoEnumerate
}
function Set-JobResult([Parameter(Position = 0)]$Value) {
  Send-Line 'return' @(ConvertTo-Json -InputObject $Value -Depth 100 -Compress)
}
function Write-JobLog([string]$Message, [string]$Level = 'info', $Fields = $null) {
  $more = @(if ($null -ne $Fields) { ConvertTo-Json -InputObject $Fields -Depth 100 -Compress })
  Send-Line 'log' (@($Level, $Message) + $more)
}
function Write-JobProgress([double]$Fraction, [string]$Message = '') {
  Send-Line 'progress' @($Fraction.ToString([cultureinfo]::InvariantCulture), $Message)
}
function Send-JobNotification([string]$Message, [string]$Level = 'info', [string]$Audience = '') {
  Send-Line 'notify' @($Level, $Message, $Audience)
}
Export-ModuleMember -Function '*-Job*'
`;

/** Each language's helper. */
export const SCRIPT_SIDES: Readonly<Record<ScriptLanguage, ScriptSide>> = {
  node: { script: 'script.mjs', helper: 'job.mjs', helperCode: NODE },
  python: { script: 'script.py', helper: 'job.py', helperCode: PYTHON },
  bash: { script: 'script.sh', helper: 'job.sh', helperCode: BASH },
  // Found by PSModulePath, and loaded by the first command that is called.
  powershell: { script: 'script.ps1', helper: 'job/job.psm1', helperCode: POWERSHELL },
};
