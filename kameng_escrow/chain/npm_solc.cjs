#!/usr/bin/env node
// kameng_escrow: npm solc wrapper
//
// The npm package `solc` (the compiler in WebAssembly) behind the command line of the native one, as far as
// py-solc-x, ape and forge use it. npm's own `solcjs` will not do: it refuses --allow-paths.
// kameng_escrow/chain/solc.py fills in the two constants and keeps this file in py-solc-x's folder.
'use strict'

const fs = require('node:fs')
const path = require('node:path')

const PACKAGE = '@PACKAGE@'
const VERSION = '@VERSION@'

function fail(reason) {
  process.stderr.write(
    `solc (npm wrapper): ${reason}. Run \`make compile\` in a checkout of kameng_escrow to repair this, ` +
      `or delete ${__filename}.\n`
  )
  process.exit(1)
}

function values(option) {
  return process.argv.flatMap((arg, i, args) => {
    if (arg === option) return args.slice(i + 1, i + 2)
    return arg.startsWith(`${option}=`) ? [arg.slice(option.length + 1)] : []
  })
}

// The checkout that the package was installed in may be gone, or may have moved on to another version.
const manifest = path.join(PACKAGE, 'package.json')
if (!fs.existsSync(manifest)) fail(`the npm package it runs is gone from ${PACKAGE}`)
const installed = JSON.parse(fs.readFileSync(manifest, 'utf8')).version
if (!VERSION.startsWith(`${installed}+`)) fail(`${PACKAGE} is version ${installed} now, not ${VERSION}`)

if (process.argv.includes('--version')) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${VERSION}\n`)
} else if (process.argv.includes('--standard-json')) {
  const roots = [...values('--base-path'), ...values('--include-path')]
  if (roots.length === 0) roots.push('.')
  const readImport = (name) => {
    const file = roots.map((root) => path.join(root, name)).find((candidate) => fs.existsSync(candidate))
    return file ? { contents: fs.readFileSync(file, 'utf8') } : { error: 'File not found.' }
  }
  const input = fs.readFileSync(0, 'utf8')
  process.stdout.write(require(PACKAGE).compile(input, { import: readImport }) + '\n')
} else {
  fail('only --version and --standard-json are supported')
}
