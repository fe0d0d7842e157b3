/* SPDX-License-Identifier: Apache-2.0 */
/* support/http_server.h - a misbehaving HTTP server (tests/support/programs/http-server.py) as a child of the test.
 *
 * It ends with its standard input, so it never outlives the test, however that ends. Needs the package python3 (and python3-h2
 * for HTTP/2). */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct hf_test_server {
    pid_t pid;
    int input; /* closing it ends the server */
    uint16_t port;
};

/* `args`: more arguments, NULL ends; may be NULL. Fails the test when it does not come up. */
void hf_test_server_start(struct hf_test_server *server, const char *const *args);
void hf_test_server_stop(struct hf_test_server *server);
