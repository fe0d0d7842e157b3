/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast-verify: containerd asks it before it pulls an image. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verifier/verify.h"

static const char usage[] = "usage: holdfast-verify -name NAME -digest DIGEST -stdin-media-type TYPE\n"
                            "containerd runs it before a pull; holdfast-verify(8) says more.\n";

/* The descriptor there says nothing that -digest does not. containerd logs a pipe that closes too early. */
static void drain_stdin(void)
{
    char bytes[4096];

    for (size_t all = 0; all < 64 * sizeof(bytes);) {
        ssize_t n = isatty(STDIN_FILENO) ? 0 : read(STDIN_FILENO, bytes, sizeof(bytes));
        if (n <= 0)
            return;
        all += (size_t)n;
    }
}

static const char *folder(const char *variable, const char *fallback)
{
    const char *text = getenv(variable);

    return text != NULL && text[0] == '/' ? text : fallback;
}

int main(int argc, char **argv)
{
    const char *name = "", *digest = "";

    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return puts("holdfast-verify " HF_VERSION) < 0;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) < 0;
    /* Pairs that a later containerd adds change nothing. */
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "-name") == 0)
            name = argv[i + 1];
        else if (strcmp(argv[i], "-digest") == 0)
            digest = argv[i + 1];
    if (digest[0] == '\0')
        return fputs(usage, stderr) < 0 ? 1 : 2;
    int code = hf_verify(folder("HOLDFAST_STATE_DIR", HF_VERIFY_STATE_DIR),
                         folder("HOLDFAST_RUN_DIR", HF_VERIFY_RUN_DIR), name, digest);
    drain_stdin();
    return code;
}
