/* SPDX-License-Identifier: Apache-2.0 */
/* Refuses libc functions with a safer replacement; -include in every file of pkg/ and cmd/. Includes the libc headers
 * first: after the pragma even declarations are refused. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll gets system popen gmtime localtime asctime    \
    ctime
