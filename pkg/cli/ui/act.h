/* SPDX-License-Identifier: Apache-2.0 */
/* What the body of POST /fleet/act asks for, as the command of the command line that does it. Pure.
 *
 *     {"act": "Halt", "name": "edge-app", "reason": "wrong build", "confirmed": true}
 *
 * There is no second way to act: `holdfast ui` runs that command. Without "confirmed" it only asks the API server
 * whether the user may. */
#pragma once

#include "cli/args.h"
#include "codec/json.h"

enum { HF_UI_ACT_MAX_BYTES = 2048, HF_UI_ACT_WORDS = HF_CLI_MAX_OPTIONS + 8 };

struct hf_ui_act {
    bool confirmed;
    const char *name;   /* of the row, which may be no name */
    const char *plural; /* of the object that it changes */
    const char *words[2], *reason, *release;
    json_t *json; /* owns the texts */
};

/* -EBADMSG, with a text for people: no act, a field that it does not have or that is too long, control characters. */
HF_MUST_USE int hf_ui_act_parse(struct hf_view body, struct hf_ui_act *ret_act, struct hf_err *err);
void hf_ui_act_done(struct hf_ui_act *act);

/* The words of the command, with the options that say where the cluster is; `context` "": those of args. Owned by the
 * caller, as is each. */
char **hf_ui_act_argv(const struct hf_ui_act *act, const char *program, const struct hf_cli_args *args,
                      const char *context, const char *object);
void hf_ui_argv_free(char **argv);

/* ["--kubeconfig=FILE", ...]: those options, without --context and with a secret hidden, for a reader. */
json_t *hf_ui_act_options(const struct hf_cli_args *args);

/* The SelfSubjectAccessReview: may the user change this object? */
json_t *hf_ui_act_review(const struct hf_ui_act *act, const char *object);
