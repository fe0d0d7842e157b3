/* SPDX-License-Identifier: Apache-2.0 */
/* cli/parts.h - helpers that several commands share, for objects in files, durations and JSON output. Main thread only;
 * blocks. */
#pragma once

#include "api/edgeupdate.h"
#include "cli/cli.h"
#include "codec/json.h"

enum { HF_CLI_OBJECT_BYTES = 4 << 20, HF_CLI_KEY_BYTES = 64 << 10 };

/* text of the note that `release create` prints for an EdgeUpdate with a strategy */
#define HF_CLI_NEEDS_CONTROLLER                                                                                        \
    "needs holdfast-controller in the cluster, which admits node after node (without a strategy, every selected node " \
    "is admitted at once)"

/* Reads all documents of a YAML or JSON file. Appends the text of the file to `text` (may be NULL). */
HF_MUST_USE int hf_cli_read_objects(struct hf_cli *cli, const char *path, json_t **ret_array, struct hf_buf *text,
                                    struct hf_err *err);

/* Reads a file that holds one EdgeUpdate. -EBADMSG: the file holds an object of another kind, or not exactly one
 * object. */
HF_MUST_USE int hf_cli_read_update(struct hf_cli *cli, const char *path, json_t **ret_update, struct hf_err *err);

/* Prints the errors and warnings, at most HF_API_MAX_ISSUES of each, to cli->err as "path: text". */
void hf_cli_print_issues(struct hf_cli *cli, const char *path, const struct hf_issues *issues);

/* Decodes an EdgeUpdate. Prints its errors and warnings. -EBADMSG: the object has errors. */
HF_MUST_USE int hf_cli_decode_update(struct hf_cli *cli, const char *path, json_t *json,
                                     struct hf_edgeupdate **ret_update, struct hf_err *err);

/* Like hf_buf_done(), but overwrites the memory with zeros first. Use this function for private keys. */
void hf_cli_wipe(struct hf_buf *secret);

/* Returns the number of occurrences of the option `name` on the command line. The option must be one that takes a
 * value. */
size_t hf_cli_count(const struct hf_cli_args *args, const char *name);

/* Adds the labels of all options --label KEY=VALUE to the object `labels`. -EINVAL: one has another form. */
HF_MUST_USE int hf_cli_read_labels(const struct hf_cli_args *args, json_t *labels, struct hf_err *err);

/* Parses a duration such as "1h30m" (the syntax of Go), or a number of days such as "90d". -EINVAL: `text` is neither;
 * *err names the option. */
HF_MUST_USE int hf_cli_duration(const char *option, const char *text, uint64_t *ret_ns, struct hf_err *err);

/* Returns a JSON string of a plain copy of `text` (cli/plain.h), which is always valid UTF-8. `text` may be a path, or
 * may end within a character. Returns NULL if out of memory. */
json_t *hf_cli_json_text(const char *text);

/* hf_cli_put() puts `value` at a path of an object; hf_cli_append() appends `value` to an array. Both functions take
 * ownership of `value`, also on errors. If `value` is NULL, because its constructor has failed, the functions return
 * -ENOMEM. -EBADMSG: a field on the path is not an object. */
HF_MUST_USE int hf_cli_put(json_t *object, const char *path, json_t *value, struct hf_err *err);
HF_MUST_USE int hf_cli_append(json_t *array, json_t *value, struct hf_err *err);

/* Prints `json` as one line to cli->out. */
HF_MUST_USE int hf_cli_print_json(struct hf_cli *cli, const json_t *json, struct hf_err *err);
/* Prints one line of JSON text to cli->out: on a terminal with escapes for what it acts on (base/encoding/plain.h),
 * which is the same value; else byte for byte. */
HF_MUST_USE int hf_cli_print_json_text(struct hf_cli *cli, struct hf_view text, struct hf_err *err);
/* Prints the content of a file to cli->out: on a terminal with a '?' for each character on which it acts, except line
 * ends and tabs; else byte for byte. */
HF_MUST_USE int hf_cli_print_content(struct hf_cli *cli, struct hf_view text, struct hf_err *err);
