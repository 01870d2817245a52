// Shows /openapi.json. In a file of its own, so that the page needs no inline script.
"use strict";

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null, // it would send our address to a server elsewhere
});
