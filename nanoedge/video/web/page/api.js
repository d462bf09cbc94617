"use strict";
/* The API's description as a table. */

function cell(text) {
  const made = document.createElement("td");
  made.textContent = text;
  return made;
}

function takes(operation, schemas) {
  const parameters = (operation.parameters || []).map((each) => `${each.name} (${each.in})`);
  const body = operation.requestBody?.content?.["application/json"]?.schema?.$ref;
  if (body) {
    const schema = schemas[body.split("/").pop()];
    for (const [name, each] of Object.entries(schema.properties)) parameters.push(`${name}: ${each.description || ""}`);
  }
  return parameters.join("; ");
}

async function fill() {
  const described = await (await fetch("/api/openapi.json")).json();
  for (const [path, methods] of Object.entries(described.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const row = document.createElement("tr");
      row.append(
        cell(`${method.toUpperCase()} ${path}`),
        cell(operation.summary || ""),
        cell(takes(operation, described.components?.schemas || {})),
      );
      document.getElementById("paths").append(row);
    }
  }
}

fill();
