// The two functions that all pages build their elements with.

/** @param {string} id */
export const $ = (id) => document.getElementById(id)

/**
 * An element with properties (`dataset` merges) and children. Text goes in as
 * text: nothing a player writes is ever read as HTML.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string)} children
 */
export function element(tag, { dataset, ...properties } = {}, ...children) {
  const e = Object.assign(document.createElement(tag), properties)
  Object.assign(e.dataset, dataset)
  e.append(...children)
  return e
}
