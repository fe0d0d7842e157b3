/* SPDX-License-Identifier: Apache-2.0 */
/* The body of an act of the page. What must hold: the words are those of one of the acts, what a person gave is in no
 * word that could be another option, and the line for the shell has no control characters and all words. */
#include "agent/page/act.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* After "--" comes a name; before it, options with values, and the words of the command. */
static void check(const struct hf_page_act *act)
{
    bool names = false;

    for (unsigned i = 0; i < act->n; i++) {
        const char *word = act->words[i];
        if (word[0] == '\0' || (names && (word[0] == '-' || strchr(word, '/') != NULL)))
            abort();
        if (strcmp(word, "--") == 0)
            names = true;
        for (const char *p = word; *p != '\0'; p++)
            if ((unsigned char)*p < 0x20 || *p == 0x7f)
                abort();
    }
    if (act->kind != HF_PAGE_RETRY && act->n < 2)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char command[HF_PAGE_ACT_COMMAND];
    static struct hf_page_act act;

    if (hf_page_act_parse((struct hf_view){(const char *)bytes, n}, "/state", "/run", &act, NULL) < 0)
        return 0;
    check(&act);
    const char *text = hf_page_act_command(&act, command, sizeof(command));
    if (strncmp(text, "sudo ", 5) != 0 || strlen(text) >= sizeof(command) - 1)
        abort();
    return 0;
}
